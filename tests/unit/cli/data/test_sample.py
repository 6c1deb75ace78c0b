import json

import pytest
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 4)
    return tmp_path


def test_a_part_of_each_class_is_drawn(here, capsys):
    (here / "photos/circle/003.png").unlink()
    assert run(["data", "sample", "photos", "-o", "small.csv"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[2].split() == ["circle", "3", "3"]
    assert out.splitlines()[3].split() == ["square", "3", "4"]
    assert "small.csv: 9 images, drawn with the seed 42" in err
    assert len((here / "small.csv").read_text().splitlines()) == 10


def test_a_sample_may_be_a_folder(here, capsys):
    command = ["data", "sample", "photos", "-o", "small", "--per-class", "5", "--json"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["classes"] == {"circle": 4, "square": 4, "triangle": 4}
    assert "fewer than 5, so all of them: circle, square, triangle" in err
    assert len(list((here / "small").rglob("*.png"))) == 12


def test_both_numbers_are_refused(here, capsys):
    command = ["data", "sample", "photos", "-o", "a.csv", "--per-class", "1", "--fraction", "0.5"]
    assert run(command) == 2
    assert "one of --per-class and --fraction" in capsys.readouterr().err
