"""Messages about data name options where a command has some."""

import pytest

from fivefold.cli.app import run
from fivefold.core.errors import DataError
from fivefold.experiment.option_words import in_options, told_in_options


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("set `separator`", "set --separator"),
        ("`encoding: cp1251`, or", "--encoding cp1251, or"),
        ("`boxes: labels` takes", "--boxes-as-labels takes"),
        ("`boxes: crops` cuts", "`boxes: crops` in a config cuts"),
        ("`group_column` would", "`group_column` in a config would"),
        (
            "`fivefold data check` and `folds_count: 5`",
            "`fivefold data check` and `folds_count: 5`",
        ),
    ],
)
def test_keys_become_options_where_there_are_such(text, told):
    assert in_options(text, {"separator", "encoding", "boxes: labels"}) == told


def test_an_error_without_keys_stays_itself():
    error = DataError("t.csv: expected a row, got none", hint="add one", slug="data/empty")
    with pytest.raises(DataError, match="got none") as caught, told_in_options({"separator"}):
        raise error
    assert caught.value is error


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", [["check"], ["stats"], ["convert", "-o", "x.json"]])
def test_a_command_names_the_option_for_labels(here, capsys, command):
    (here / "slides.csv").write_text("image,tissue,stain\na.png,x,y\n")
    assert run(["data", *command, "slides.csv"]) == 3
    err = capsys.readouterr().err
    assert "slides.csv: --label-column: expected a column such as 'label'" in err
    assert "set --label-column to one of them, or `indicator_columns` in a config to those" in err


def test_a_command_names_the_option_for_the_encoding(here, capsys):
    text = "image,label\n1.png,кошка\n2.png,собака\n"
    (here / "t.csv").write_bytes(text.encode("cp1251"))
    assert run(["data", "stats", "t.csv"]) == 3
    err = capsys.readouterr().err
    assert "--encoding" in err
    assert "`encoding" not in err


def test_a_command_names_the_option_for_the_separator(here, capsys):
    (here / "t.csv").write_text("image,label\na.png,x|y\nb.png,z\n")
    assert run(["data", "labels", "t.csv", "-o", "l.csv"]) == 0
    assert "read as one class each; set --separator" in capsys.readouterr().err


def test_a_command_names_the_option_for_boxes(here, capsys):
    box = '{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "area": 81}'
    (here / "c.json").write_text(
        '{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cat"}], '
        f'"annotations": [{box}]}}'
    )
    assert run(["data", "check", "c.json"]) == 3
    err = capsys.readouterr().err
    assert "    --boxes-as-labels takes them as labels of their images, `boxes: crops` in a" in err
