import csv
import json
import re
from dataclasses import replace

import pytest
from fake_mask_run import THREE, make_mask_run
from typer.testing import CliRunner

from fivefold.cli.app import app
from fivefold.core.mask_scores import MaskScores


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = make_mask_run(
        tmp_path_factory.mktemp("runs") / "cells", head=THREE, extra="smallest_area: auto\n"
    )
    return folder.root


def run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result


def test_numbers_fit_a_narrow_terminal(cells):
    text = run("evaluate", cells).stdout
    assert text.startswith("out-of-fold 36 images\n")
    tables, _, decided = text.partition("smallest parts  ")
    assert max(map(len, tables.splitlines())) <= 80
    for words in ("foreground_iou", "image_specificity", "log_loss", "circle"):
        assert words in tables
    assert "with the config's thresholds and parts; out of fold chosen on the other folds" in tables
    assert "pixels of 48 x 64" in decided


def test_how_empty_masks_are_counted_is_said(cells):
    result = run("evaluate", cells)
    assert "empty masks: means over images leave out, for each class, images where" in result.stderr


def test_what_the_numbers_hide_is_said_with_counts(tmp_path):
    folder = make_mask_run(tmp_path / "run")
    for fold in range(3):
        path = folder.predictions("validation", fold, 0)
        found = MaskScores.load(path)
        replace(found, said=found.said + 1).save(path)
    result = run("evaluate", folder.root)
    assert re.search(
        r"In all \d+ images without shape, some is found all the same\.", result.stderr
    )


def test_json_holds_all_numbers(cells):
    found = json.loads(run("evaluate", cells, "--json").stdout)
    whole = found["assessments"]["out-of-fold"]
    assert whole["intervals"]["of"] == "images"
    assert "empty_masks" in whole
    (head,) = whole["heads"]
    assert [own["name"] for own in head["classes"]] == ["ground", "circle", "square"]
    assert head["headline"]["iou"]["low"] < head["headline"]["iou"]["value"]
    (decided,) = found["decisions"]["at_thresholds"]["out-of-fold"]
    assert decided["headline"]["iou"]["value"] != head["headline"]["iou"]["value"]
    assert found["decisions"]["heads"][0]["smallest_areas"]["ground"] == 0


def test_files_are_written(cells, tmp_path):
    run("evaluate", cells, "-o", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"metrics.json", "per_class.csv", "per_image.csv", "classes.png", "images.png"}
    with (tmp_path / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    row = rows[0]
    sums = int(row["true_circle"]) + int(row["predicted_circle"])
    dice = 2 * int(row["both_circle"]) / (sums or 1)
    assert row["dice_circle"] == (f"{dice:.6f}" if sums else "")
    with (tmp_path / "out" / "per_class.csv").open(newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["ground", "circle", "square"]


def test_the_configs_metrics_have_a_column_for_each_fold(cells):
    text = run("evaluate", cells, "--by-fold").stdout
    assert "fold 2" in text
    assert "dice" in text
