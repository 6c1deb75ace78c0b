import json

import pytest
from PIL import Image
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 2)
    return tmp_path


def test_images_are_resized_and_what_is_wrong_is_told(here, capsys):
    for k in range(12):
        (here / f"photos/circle/bad{k:02}.png").write_bytes(b"no image")
    frames = [Image.new("RGB", (9, 9), (k, 0, 0)) for k in (0, 200)]
    frames[0].save(here / "photos/a.gif", save_all=True, append_images=frames[1:])
    assert run(["data", "resize", "photos", "-o", "small", "--max-size", "16"]) == 0
    out, err = capsys.readouterr()
    assert "images       7, 1 of them larger than before" in out
    assert "unreadable: circle/bad00.png: " in err
    assert "unreadable: 2 more; --json names all" in err
    assert "warning: 1 files have several pictures: only the first is there" in err


def test_scripts_get_json(here, capsys):
    assert run(["data", "resize", "photos", "-o", "small", "--max-size", "8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 6


def test_the_size_has_to_be_said(here, capsys):
    assert run(["data", "resize", "photos", "-o", "small"]) == 2
    assert "--max-size" in capsys.readouterr().err


def test_the_longest_names_that_a_file_can_have_are_written(tmp_path):
    name = f"{'x' * 251}.png"
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name)
    command = ["data", "resize", str(tmp_path / "photos"), "-o", str(tmp_path / "small")]
    assert run([*command, "--max-size", "4"]) == 0
    assert [path.name for path in (tmp_path / "small").iterdir()] == [name]
