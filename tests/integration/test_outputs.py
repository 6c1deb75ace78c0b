"""Several labels for an image, several outputs of a network: from a table to a report."""

import csv

import numpy as np
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
    assert header[:5] == ["id", "path", "fold", "shape_truth", "shape_label"]
    for fold, stage in ((0, 0), (1, 1)):
        with experiment.folder.metrics(fold, stage).open() as file:
            for row in csv.DictReader(file):
                parts = float(row["val_shape_loss"]) + float(row["val_parity_loss"])
                assert float(row["val_loss"]) == pytest.approx(parts)


OUTPUTS = (
    CONFIG.replace(
        "{folder: shapes}", "{csv: labels.csv, images: shapes, label_column: [shape, tags]}"
    ).replace("primary_metric: val_accuracy", "primary_metric: val_tags_loss")
    + "classes: [3, 2]\nactivation: [softmax, sigmoid]\nhead_layers: [12]\ntestSplit: 0.2\n"
    "loss: [categorical_crossentropy, binary_crossentropy + 0.1*dice_loss]\n"
)


def test_outputs_reach_every_table_and_ensembles_average_each(tmp_path):
    """One true class beside any number of them, from the command line's calls to its tables."""
    write_table(
        tmp_path,
        ["shape", "tags"],
        lambda name, number: [name, "|".join(["even"] * (1 - number % 2) + ["0"] * (number < 3))],
        OUTPUTS,
    )
    experiment, summary = fit(tmp_path)
    assert {"accuracy", "shape_accuracy", "tags_accuracy"} <= set(summary.holdout)
    (tmp_path / "new").mkdir()
    for path in (tmp_path / "shapes" / "circle").iterdir():
        (tmp_path / "new" / path.name).write_bytes(path.read_bytes())
    alone = [experiment.predict(tmp_path / "new", folds=[fold]) for fold in (0, 1)]
    together = experiment.predict(tmp_path / "new")
    assert together.class_names == ("circle", "square", "triangle", "0", "even")
    mean = (alone[0].probs + alone[1].probs) / 2
    np.testing.assert_allclose(together.probs, mean, atol=1e-6)
    np.testing.assert_allclose(together.probs[:, :3].sum(axis=1), 1, atol=1e-6)
    assert not np.allclose(together.probs[:, 3:].sum(axis=1), 1, atol=1e-3)
    measured = experiment.evaluate()
    assert measured["oof"]["shape_accuracy"] == pytest.approx(summary.oof["shape_accuracy"])
    page = (tmp_path / "report.html").read_text()
    assert "What is taken for what: shape" in page
    assert "How well each label is found: tags" in page
