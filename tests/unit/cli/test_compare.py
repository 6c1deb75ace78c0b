import io
import json
import os
import re
import shutil
import sys

from many_runs import GOOD, LESS, POOR, SAMPLES, dealt_run, make_run

from fivefold.cli import app


class Tty(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


def test_table_marks_the_best_and_talk_says_what_is_missing(tmp_path, capsys):
    make_run(tmp_path / "a", 0.8, lr=0.1)
    make_run(tmp_path / "b", 0.9, lr=0.01)
    (tmp_path / "photos").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.yaml").write_text("stages: [{epochs: 1}]\n")
    assert app.run(["compare", str(tmp_path), "--only-metric", "val_accuracy"]) == 0
    out, err = capsys.readouterr()
    header, _, *rows = out.splitlines()
    assert header.split()[:2] == ["experiment", "val_accuracy"]
    assert [row.split()[0] for row in rows] == ["b", "a", "new"]
    assert ["*" in row for row in rows] == [True, False, False]
    assert "0.9050 ± 0.0050 *" in rows[0]
    assert err.splitlines() == [
        "new: unfinished: not trained yet",
        "photos: left out: no experiment in it (no config)",
        "val_accuracy: b has the best mean; no other can be compared with it",
        "a: not comparable: its samples are not known: there is no readable data/folds.json",
    ]


def test_csv_is_written_beside_the_table(tmp_path, capsys):
    make_run(tmp_path / "runs" / "a")
    output = tmp_path / "result.csv"
    assert app.run(["compare", str(tmp_path / "runs"), "-o", str(output)]) == 0
    assert output.read_text().splitlines()[1].startswith("a,finished,2,")
    assert capsys.readouterr().err == f"{output}: 1 rows\n"


def test_a_terminal_gets_what_fits_and_is_told_of_the_rest(tmp_path, monkeypatch, capsys):
    terminal = Tty()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_: os.terminal_size((60, 20)))
    for number in range(3):
        make_run(tmp_path / f"{number}", batch=8 + number, lr=10**-number)
    assert app.run(["compare", str(tmp_path)]) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    talk = capsys.readouterr().err
    assert max(map(len, shown.splitlines())) <= 60
    assert "macro_f1" not in shown
    assert " more columns: add `-o result.csv`, or `| less -S`\n" in talk
    assert app.run(["compare", str(tmp_path), "-o", str(tmp_path / "all.csv")]) == 0
    assert f" more columns: they are in {tmp_path / 'all.csv'}\n" in capsys.readouterr().err


def test_a_pipe_gets_all_columns(tmp_path, capsys):
    make_run(tmp_path / "a", batch=8)
    make_run(tmp_path / "b")
    assert app.run(["compare", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert {"val_accuracy", "oof_macro_f1", "batch"} <= set(out.split("\n")[0].split())
    assert "accuracy (training)" in out
    assert "epoch (from 1)" in out


def test_json_has_what_the_csv_has(tmp_path, capsys):
    make_run(tmp_path / "a")
    assert app.run(["compare", str(tmp_path), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["path"], row["status"], row["fold_count"]) == ("a", "finished", 2)


def test_differences_are_shown_with_their_intervals_and_counted(tmp_path, capsys):
    dealt_run(tmp_path / "good", GOOD)
    dealt_run(tmp_path / "less", LESS)
    dealt_run(tmp_path / "poor", POOR)
    assert app.run(["compare", str(tmp_path), "--only-metric", "val_accuracy"]) == 0
    out, talk = capsys.readouterr()
    header, _, *rows = out.splitlines()
    assert header.split() == ["experiment", "val_accuracy", "difference"]
    assert rows[0].split()[-1] == "reference"
    assert rows[1].endswith("-0.0120 [-0.0363, +0.0123] ≈")
    assert rows[2].rstrip().endswith("-0.3100 [-0.3423, -0.2777]")
    assert talk == (
        "val_accuracy: good has the best mean; of 2 others 1 is not distinguishable from it, "
        "1 differs, 1 also after Holm's adjustment\n"
    )


def test_a_page_is_written_by_its_name(tmp_path, capsys):
    dealt_run(tmp_path / "runs" / "good", GOOD)
    output = tmp_path / "x.html"
    assert app.run(["compare", str(tmp_path / "runs"), "-o", str(output)]) == 0
    assert output.read_text("utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().err.endswith(" kB\n")
    assert app.run(["compare", str(tmp_path / "runs"), "-o", str(output)]) == 2
    assert "expected a name that is free" in capsys.readouterr().err


def test_experiments_on_several_data_are_told(tmp_path, capsys):
    dealt_run(tmp_path / "good", GOOD)
    dealt_run(tmp_path / "less", LESS)
    dealt_run(tmp_path / "other", POOR, {**SAMPLES, "3.png": (0, "other contents", "label")})
    assert app.run(["compare", str(tmp_path), "--only-metric", "val_accuracy"]) == 0
    told = "measured on 2 different data, which cannot be compared; a * is the best of those on"
    assert told in capsys.readouterr().err


def test_another_reference_is_asked_for(tmp_path, capsys):
    dealt_run(tmp_path / "good", GOOD)
    dealt_run(tmp_path / "poor", POOR)
    assert app.run(["compare", str(tmp_path), "--against", "poor", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["verdict"], first["difference_from"], second["verdict"]) == (
        "better",
        "poor",
        "reference",
    )


def test_folder_without_experiments_is_an_error(tmp_path, capsys):
    assert app.run(["compare", str(tmp_path)]) == 2
    assert "expected a folder with experiments, got none" in capsys.readouterr().err


def test_folders_that_are_no_experiments_are_counted_in_one_line(tmp_path, capsys):
    make_run(tmp_path / "a", 0.8)
    for number in range(5):
        (tmp_path / f"photos{number}").mkdir()
    assert app.run(["compare", str(tmp_path)]) == 0
    text = "5 folders: photos0, photos1, photos2, …: left out: no experiment in it (no config)"
    assert capsys.readouterr().err.splitlines() == [text]


def test_an_order_by_different_losses_is_said_to_mean_nothing(tmp_path, capsys):
    for name, loss in (("a", "crossentropy"), ("b", "focal_loss")):
        path = make_run(tmp_path / name, 0.8).manifest_path
        record = json.loads(path.read_text())
        record["config"]["loss"] = loss
        path.write_text(json.dumps(record))
    assert app.run(["compare", str(tmp_path), "--sort-by", "val_loss"]) == 0
    assert "val_loss: of different losses, which cannot be compared; `--sort-by METRIC`" in (
        capsys.readouterr().err
    )
