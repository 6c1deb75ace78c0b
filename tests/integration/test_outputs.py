"""Several labels for an image, several outputs of a network: from a table to a report."""

import csv

import pytest
from runs import CONFIG
from shapes import NAMES, draw_folders

from fivefold.apps.report import write_pictures, write_report
from fivefold.experiment.experiment import Experiment


def write_table(folder, columns, cells, config):
    """Draw shapes and name them in a table; `cells` gives a row's labels by shape and number."""
    draw_folders(folder / "shapes", 10)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *columns])
        for name in NAMES:
            for number in range(10):
                writer.writerow([f"{name}/{number:03d}.png", *cells(name, number)])
    (folder / "config.yaml").write_text(config)


def fit(folder):
    experiment = Experiment.load(folder)
    summary = experiment.fit()
    write_pictures(experiment.folder)
    assert write_report(experiment.folder).read_text().startswith("<!doctype html>")
    return experiment, summary


def test_several_labels_for_an_image(tmp_path):
    config = CONFIG.replace("metrics: [accuracy]", "metrics: [binary_accuracy, macro_f1, auc]")
    config = config.replace("val_accuracy", "val_macro_f1").replace(
        "{folder: shapes}", "{csv: labels.csv, images: shapes, label_column: tags}"
    )
    write_table(
        tmp_path,
        ["tags"],
        lambda name, number: [f"{name}|even" if number % 2 == 0 else name],
        config + "loss: binary_crossentropy\n",
    )
    experiment, summary = fit(tmp_path)
    (head,) = experiment.load_model(0).heads
    assert (head.activation, head.class_names) == (
        "sigmoid",
        ("circle", "even", "square", "triangle"),
    )
    assert set(summary.oof) == {"binary_accuracy", "macro_f1", "auc"}


def test_several_outputs_with_a_loss_each(tmp_path):
    config = CONFIG.replace(
        "{folder: shapes}", "{csv: labels.csv, images: shapes, label_column: [shape, parity]}"
    )
    config = config.replace("primary_metric: val_accuracy", "primary_metric: val_parity_accuracy")
    config += (
        "classes: [3, 2]\nactivation: [softmax, sigmoid]\n"
        "loss: [categorical_crossentropy, binary_crossentropy]\n"
    )
    write_table(
        tmp_path,
        ["shape", "parity"],
        lambda name, number: [name, "even" if number % 2 == 0 else "odd"],
        config,
    )
    experiment, summary = fit(tmp_path)
    assert [head.name for head in experiment.load_model(0).heads] == ["shape", "parity"]
    assert set(summary.oof) == {"accuracy", "shape_accuracy", "parity_accuracy"}
    mean = (summary.oof["shape_accuracy"] + summary.oof["parity_accuracy"]) / 2
    assert summary.oof["accuracy"] == pytest.approx(mean)
    with experiment.folder.oof_path.open() as file:
        header = next(csv.reader(file))
    assert header[:4] == ["id", "fold", "shape_truth", "shape_label"]
