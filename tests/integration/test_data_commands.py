"""From folders of images to a tested classifier by commands alone, as two guides do it."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from runs import CONFIG
from shapes import NAMES, draw, draw_folders

from fivefold.cli.app import run

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "images", 10)
    return tmp_path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_config(folder, section):
    text = CONFIG.replace("dataset: {folder: shapes}\n", "").replace("epochs: 2", "epochs: 6")
    lines = text.replace("folds_count: 2\n", "" if "folds_count" in section else "folds_count: 2\n")
    folder.mkdir()
    (folder / "config.yaml").write_text(f"{lines}datasets_path: ..\n{section}\n")


def told(capsys, start):
    """Take the lines of a config that a command has told."""
    lines = capsys.readouterr().err.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(start))
    return "\n".join(lines[first:])


def test_folders_to_a_table_to_folds_to_training(here, capsys):
    """Catalyst's way: tags and a map of classes, five folds, four of them to train on."""
    labels = ["data", "labels", "images", "-o", "raw.csv", "--columns", "filepath,tag"]
    assert run([*labels, "--class-map", "tag2class.json"]) == 0
    assert json.loads((here / "tag2class.json").read_text()) == {n: k for k, n in enumerate(NAMES)}
    split = ["data", "split", "raw.csv", "--images", "images", "-o", "dataset.csv", "--folds", "5"]
    assert run([*split, "--train-folds", "0,1,2,3"]) == 0
    train, valid = (rows_of(here / f"dataset_{part}.csv") for part in ("train", "valid"))
    assert (len(train), len(valid)) == (24, 6)
    assert sorted(train + valid, key=str) == sorted(rows_of(here / "dataset.csv"), key=str)
    capsys.readouterr()
    assert run([*split, "--force"]) == 0
    section = told(capsys, "dataset: ")
    assert "folds_count: 5" in section
    write_config(here / "run", section)
    assert run(["fit", "run", "--folds", "4"]) == 0
    folds = json.loads((here / "run/data/folds.json").read_text())
    given = {row["filepath"]: int(row["fold"]) for row in rows_of(here / "dataset.csv")}
    assert {name: own[0] for name, own in folds["samples"].items()} == given


def test_folders_to_a_table_to_a_tested_classifier(here, capsys):
    """Ultimate's way with one label: a fifth of each class is tested on."""
    assert run(["data", "labels", "images", "-o", "all_data.csv"]) == 0
    capsys.readouterr()
    split = ["data", "split", "all_data.csv", "--images", "images", "-o", "set.csv"]
    assert run([*split, "--test", "0.2"]) == 0
    write_config(here / "run", "dataset: {csv: set_train.csv, images: images}")
    assert run(["fit", "run"]) == 0
    predict = ["predict", "run", "set_test.csv", "--images", "images", "-o", "found.csv"]
    assert run(predict) == 0
    found, truth = rows_of(here / "found.csv"), rows_of(here / "set_test.csv")
    assert len(found) == len(truth) == 6
    trained = (here / "run/data/folds.json").read_text()
    assert not any(row["path"] in trained for row in truth)


def test_images_with_several_labels_to_a_tested_classifier(here, capsys):
    """Ultimate's way with several labels in one cell, between dollar signs."""
    (here / "all").mkdir()
    with (here / "all_data.csv").open("w", encoding="utf-8") as file:
        file.write("path,class\n")
        for k, name in enumerate(NAMES):
            for number in range(10):
                shutil.copy(here / f"images/{name}/{number:03}.png", here / f"all/{k}{number}.png")
                more = "$angular" if name != "circle" else ""
                file.write(f"{k}{number}.png,{name}{more}\n")
    split = ["data", "split", "all_data.csv", "--images", "all", "-o", "set.csv"]
    assert run([*split, "--test", "0.2", "--separator", "$"]) == 0
    section = told(capsys, "dataset: ").splitlines()[0]
    assert section == 'dataset: {csv: set.csv, images: all, separator: "$", split_column: split}'
    write_config(here / "run", section)
    assert run(["fit", "run"]) == 0
    assert run(["predict", "run", "set_test.csv", "--images", "all", "-o", "found.csv"]) == 0
    found = rows_of(here / "found.csv")
    assert len(found) == len(rows_of(here / "set_test.csv"))
    assert any("angular" in column for column in found[0])


@pytest.mark.parametrize("asked", [("--folds", "3"), ("--folds", "2", "--test", "0.2")])
def test_training_on_the_written_table_has_just_its_folds(here, capsys, asked):
    """Near duplicates stay together in both; the part to test on is the holdout."""
    for name in NAMES:
        with Image.open(here / f"images/{name}/000.png") as image:
            image.resize((48, 48), Image.Resampling.BICUBIC).save(here / f"images/{name}/near.png")
    assert run(["data", "split", "images", "-o", "set.csv", *asked]) == 0
    write_config(here / "run", told(capsys, "dataset: "))
    assert run(["fit", "run"]) == 0
    folds = json.loads((here / "run/data/folds.json").read_text())["samples"]
    given = {row["path"]: int(row["fold"]) for row in rows_of(here / "set.csv")}
    assert {name: own[0] for name, own in folds.items()} == given
    assert (-1 in given.values()) == ("--test" in asked)
    found = json.loads((here / "run/data/splits.json").read_text())["ties"]
    assert found["near duplicates"]["sets"] >= 3
    assert found["near duplicates"]["torn"] == 0


def test_the_part_to_test_on_is_the_holdout_of_training(here, capsys):
    assert run(["data", "split", "images", "-o", "set.csv", "--test", "0.2"]) == 0
    write_config(here / "run", told(capsys, "dataset: "))
    assert run(["fit", "run"]) == 0
    folds = json.loads((here / "run/data/folds.json").read_text())["samples"]
    held_out = {name for name, own in folds.items() if own[0] == -1}
    rows = rows_of(here / "set.csv")
    assert held_out == {row["path"] for row in rows if row["split"] == "test"} != set()
    assert len(folds) == len(rows)


def test_images_may_be_added_while_known_ones_keep_their_folds(here, capsys):
    write_config(here / "run", "dataset: {folder: images}\nfolds_count: 3")
    assert run(["fit", "run"]) == 0
    rng = np.random.default_rng(9)
    for name in NAMES:
        draw(name, rng).save(here / f"images/{name}/added.png")
    capsys.readouterr()
    assert run(["fit", "run"]) == 0
    message = capsys.readouterr().err
    assert "3 images were added, removed or written anew since this run finished" in message
    assert "`fivefold data split --keep` leaves the others in their folds" in message
    keep = ["data", "split", "images", "--keep", "run", "--folds", "3", "-o", "more.csv"]
    assert run(keep) == 0
    write_config(here / "more", told(capsys, "dataset: "))
    assert run(["fit", "more"]) == 0
    first, second = (
        json.loads((here / folder / "data/folds.json").read_text())["samples"]
        for folder in ("run", "more")
    )
    assert first.items() <= second.items()
    assert len(second) == len(first) + 3
