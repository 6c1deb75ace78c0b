import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from suspicious import WRONG, make_suspicious_run

from fivefold.apps import suspects as app
from fivefold.cli.app import run
from fivefold.core.predictions import Predictions


@pytest.fixture
def root(tmp_path):
    make_suspicious_run(tmp_path / "photos-run")
    return tmp_path / "photos-run"


def test_the_worst_are_shown_and_how_many_are_to_be_expected(root, capsys):
    assert run(["suspects", str(root)]) == 0
    out, err = capsys.readouterr()
    for name, wanted in WRONG.items():
        (line,) = [line for line in out.splitlines() if line.startswith(name)]
        assert line.split()[1:3] == [name.partition("/")[0], wanted]
    assert "3 of 36 labels are suspects; an estimated " in err
    assert "of all labels are wrong (95 % interval " in err
    assert "found by cleanlab; hard images are among suspects" in err


def test_table_and_sheet_are_written_and_never_over_something(root, tmp_path, capsys):
    command = ["suspects", str(root), "-o", str(tmp_path / "s.csv")]
    command += ["--sheet", str(tmp_path / "s.png")]
    assert run(command) == 0
    with (tmp_path / "s.csv").open(encoding="utf-8-sig") as file:
        assert {row["id"]: row["suggested"] for row in csv.DictReader(file)} == WRONG
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.size[0] > 600
    capsys.readouterr()
    assert run(command) == 2
    assert "s.csv: expected a name that is free" in capsys.readouterr().err
    assert run([*command, "--force"]) == 0


def test_names_that_a_spreadsheet_would_compute_are_told(root, tmp_path, capsys):
    command = ["suspects", str(root), "-f", "-o", str(tmp_path / "s.csv")]
    told = "some names begin with = + - @: have a spreadsheet import them as text, not compute"
    assert run(command) == 0
    assert told not in capsys.readouterr().err
    for fold in range(2):
        path = root / "predictions" / f"validation-{fold}.0.npz"
        found = Predictions.load(path)
        replace(found, ids=tuple(f"=1+{name}" for name in found.ids)).save(path)
    assert run(command) == 0
    assert told in capsys.readouterr().err
    assert "=1+" in (tmp_path / "s.csv").read_text("utf-8-sig")


def test_json_is_for_scripts_and_top_keeps_the_worst(root, capsys):
    assert run(["suspects", str(root), "--json", "--top", "2"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["ranking"] == "cleanlab"
    assert len(record["suspects"]) == 2
    (head,) = record["heads"]
    assert (head["samples"], head["suspects"], head["of"]) == (36, 3, "labels")
    assert head["wrong"]["low"] < head["wrong"]["value"] < head["wrong"]["high"]


def test_the_table_may_go_to_the_terminal(root, capfdbinary):
    assert run(["suspects", str(root), "-o", "-"]) == 0
    lines = capfdbinary.readouterr().out.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("id,path,given,suggested,")


def test_the_terminal_takes_one_of_both(root, capsys):
    assert run(["suspects", str(root), "-o", "-", "--json"]) == 2
    assert "expected one of -o - and --json" in capsys.readouterr().err


def change_predictions(root, change):
    for fold in range(2):
        path = root / "predictions" / f"validation-{fold}.0.npz"
        found = Predictions.load(path)
        probs, targets = change(found.probs, found.targets)
        Predictions(found.ids, probs, found.heads, targets, fold, 0).save(path)


def test_where_nothing_is_suspicious_it_says_so(root, tmp_path, capsys):
    change_predictions(root, lambda probs, targets: (0.9 * targets + 1 / 30, targets))
    sheet = tmp_path / "s.png"
    assert run(["suspects", str(root), "--sheet", str(sheet)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no label of 36 is a suspect; an estimated 0.0% of all labels are wrong" in err
    assert not sheet.exists()


def test_weak_models_estimate_nothing(root, capsys):
    def weak(probs, targets):
        return np.where(np.arange(len(probs))[:, None] % 2, probs, probs[:, [1, 2, 0]]), targets

    change_predictions(root, weak)
    assert run(["suspects", str(root), "--json"]) == 0
    out, err = capsys.readouterr()
    told = "how many labels are wrong cannot be estimated: models agree with only "
    assert told in err
    assert "an estimated" not in err
    (head,) = json.loads(out)["heads"]
    assert head["wrong"] is None
    assert head["agreement"] < 0.8
    assert head["doubt"].startswith("models agree with only ")


def test_sure_suggestions_are_accepted(root, tmp_path, capsys):
    table = tmp_path / "s.csv"
    assert run(["suspects", str(root), "-o", str(table)]) == 0
    with table.open(encoding="utf-8-sig") as file:
        sure = sorted(float(row["confidence"]) for row in csv.DictReader(file))
    capsys.readouterr()
    assert sure[0] < sure[1]
    limit = str(sure[1])
    assert run(["suspects", str(root), "-f", "-o", str(table), "--accept", limit]) == 0
    with table.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        accepted = float(row["confidence"]) >= sure[1]
        assert row["corrected"] == (row["suggested"] if accepted else "")
    assert "2 suggestions accepted, unseen" in capsys.readouterr().err


def test_suggestions_are_accepted_in_a_table_only(root, capsys):
    assert run(["suspects", str(root), "--accept", "0.9"]) == 2
    assert "expected -o FILE beside it" in capsys.readouterr().err


def test_where_nothing_can_be_said_it_says_why(root, capsys):
    one = np.eye(3, dtype=np.float32)[[1] * 18]
    change_predictions(root, lambda probs, targets: (probs, one))
    assert run(["suspects", str(root)]) == 0
    told = capsys.readouterr().err
    assert "nothing can be said of the labels: all samples have the class 'dog'" in told


def test_sheets_beyond_the_first_are_numbered_and_checked_before_any_is_drawn(
    root, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("fivefold.apps.suspects.sheets.PER_SHEET", 2)
    taken = tmp_path / "s-2.png"
    taken.touch()
    command = ["suspects", str(root), "--sheet", str(tmp_path / "s.png")]
    assert run(command) == 2
    assert "s-2.png: expected a name that is free" in capsys.readouterr().err
    assert not (tmp_path / "s.png").exists()
    taken.unlink()
    assert run(command) == 0
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["s-2.png", "s.png"]
    assert "s.png: pictures of the worst, up to " in capsys.readouterr().err


def test_a_picture_that_is_gone_has_a_tile_without_one(root, tmp_path):
    (root / "photos" / "cat" / "003.png").unlink()
    (root / "photos" / "dog" / "014.png").write_bytes(b"no image")
    assert run(["suspects", str(root), "--sheet", str(tmp_path / "s.png")]) == 0
    assert (tmp_path / "s.png").exists()


def test_a_sheet_has_at_most_as_many_as_it_says():
    assert app.MOST == 10 * app.PER_SHEET
