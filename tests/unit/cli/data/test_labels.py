import json
import os

import pytest
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 2)
    return tmp_path


def test_folders_become_a_table_and_a_map(here, capsys):
    assert run(["data", "labels", "photos", "-o", "all.csv"]) == 0
    out, err = capsys.readouterr()
    assert "circle" in out
    assert "all.csv: 6 rows; all.classes.json: 3 classes" in err
    assert "dataset: {csv: all.csv, images: photos}" in err
    assert json.loads((here / "all.classes.json").read_text())["triangle"] == 2


def test_what_is_left_out_is_said(here, capsys):
    (here / "photos/circle/notes.txt").touch()
    (here / "photos/circle/in").mkdir()
    (here / "photos/circle/in/a.png").touch()
    assert run(["data", "labels", "photos", "-o", "all.csv"]) == 0
    err = capsys.readouterr().err
    assert "left out: 1 in folders inside a class: --recursive takes them" in err
    assert "left out: 1 with an ending that no image has" in err


def test_scripts_get_json(here, capsys):
    assert run(["data", "labels", "photos", "-o", "all.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["class_map"] == {"circle": 0, "square": 1, "triangle": 2}
    assert (found["images"], found["table"]) == (6, "all.csv")


def test_existing_files_stay_without_force(here, capsys):
    (here / "all.classes.json").write_text("mine")
    command = ["data", "labels", "photos", "-o", "all.csv"]
    assert run(command) == 2
    assert "all.classes.json: expected a name that is free" in capsys.readouterr().err
    assert not (here / "all.csv").exists()
    assert run([*command, "--force"]) == 0


def test_not_even_force_writes_over_what_is_read(here, capsys):
    (here / "tags.csv").write_text("path,tag\n1.png,a\n")
    assert run(["data", "labels", "tags.csv", "-o", "./tags.csv", "--force"]) == 2
    err = capsys.readouterr().err
    assert (
        "expected another file than the one that is read, got the same" in err
    )  # cli/output-is-input
    assert (here / "tags.csv").read_text() == "path,tag\n1.png,a\n"


@pytest.mark.parametrize("option", ["--images=.", "--image-column=a", "--label-column=b"])
def test_options_of_a_table_are_refused_with_folders(here, capsys, option):
    assert run(["data", "labels", "photos", "-o", "all.csv", option]) == 2
    name = option.partition("=")[0]
    # cli/stray-option
    assert f"{name}: expected no such option with folders, got one" in capsys.readouterr().err


def test_recursive_is_refused_with_a_table(here, capsys):
    (here / "tags.csv").write_text("path,tag\n1.png,a\n")
    assert run(["data", "labels", "tags.csv", "-o", "a.csv", "--recursive"]) == 2
    assert "--recursive: expected no such option with a table" in capsys.readouterr().err


@pytest.mark.parametrize("columns", ["path", "a,b,c", "a,a", ",b"])
def test_columns_are_two_names(here, capsys, columns):
    assert run(["data", "labels", "photos", "-o", "all.csv", "--columns", columns]) == 2
    assert "expected two names such as path,class" in capsys.readouterr().err


def test_the_terminal_is_no_table(here, capsys):
    assert run(["data", "labels", "photos", "-o", "-"]) == 2
    assert "-: expected a file, got the terminal" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["labels", "split"])
@pytest.mark.parametrize("output", ["", ".", "/"])
def test_what_has_no_name_is_no_output(here, capsys, command, output):
    assert run(["data", command, "photos", "-o", output]) == 2
    assert "expected a file to write, got a folder" in capsys.readouterr().err


def test_a_link_that_leads_nowhere_is_not_replaced_without_force(here, capsys):
    (here / "all.csv").symlink_to("elsewhere/all.csv")
    assert run(["data", "labels", "photos", "-o", "all.csv"]) == 2
    assert "all.csv: expected a name that is free" in capsys.readouterr().err
    assert (here / "all.csv").is_symlink()


@pytest.mark.parametrize("command", ["labels", "split", "convert", "sample"])
def test_a_pipe_or_a_device_is_no_place_for_a_table(here, capsys, command):
    os.mkfifo(here / "pipe.csv")
    assert run(["data", command, "photos", "-o", "pipe.csv", "--force"]) == 2
    assert "pipe.csv: expected a file, got a device or a pipe" in capsys.readouterr().err
    assert (here / "pipe.csv").is_fifo()
