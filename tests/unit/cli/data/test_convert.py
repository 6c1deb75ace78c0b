import errno
import json
import os

import pytest
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 3)
    return tmp_path


def test_a_folder_becomes_a_coco_file_that_a_config_can_name(here, capsys):
    assert run(["data", "convert", "photos", "-o", "a.json"]) == 0
    assert "dataset: {coco: a.json, images: photos}" in capsys.readouterr().err
    assert run(["data", "convert", "a.json", "--images", "photos", "-o", "by-class"]) == 0
    assert (here / "by-class/circle/000.png").is_file()


def test_categories_may_become_other_classes(here, capsys):
    assert run(["data", "convert", "photos", "-o", "a.json"]) == 0
    (here / "map.json").write_text(
        json.dumps({"circle": "round", "square": "not", "triangle": "not"})
    )
    command = ["data", "convert", "a.json", "--images=photos", "--category-map=map.json", "-o"]
    assert run([*command, "b.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 9
    assert (here / "b.csv").read_text().splitlines()[-1] == "triangle/002.png,not"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["-o", "a.csv", "--link", "hard"], "--link"),
        (["-o", "a.json", "--new-separator", "$"], "--new-separator"),
        (["-o", "folder", "--force"], "--force"),
        (["-o", "a.csv", "--level", "1"], "--level"),
    ],
)
def test_options_that_mean_nothing_are_refused(here, capsys, arguments, option):
    assert run(["data", "convert", "photos", *arguments]) == 2
    assert f"{option}: expected no such option" in capsys.readouterr().err
    assert [p.name for p in here.iterdir()] == ["photos"]


def test_an_existing_file_is_replaced_only_with_force(here, capsys):
    (here / "a.json").write_text("mine")
    assert run(["data", "convert", "photos", "-o", "a.json"]) == 2
    assert "a.json: expected a name that is free" in capsys.readouterr().err
    assert run(["data", "convert", "photos", "-o", "a.json", "--force"]) == 0
    assert run(["data", "convert", "a.json", "-o", "a.json", "--force"]) == 2


def test_a_class_that_no_file_can_name_is_refused(here, capsys):
    (here / "photos/circle").rename(here / "photos" / "\udcff")
    assert run(["data", "convert", "photos", "-o", "a.json"]) == 3
    assert "photos: expected names in UTF-8, got '\\udcff'" in capsys.readouterr().err
    assert not (here / "a.json").exists()


@pytest.mark.parametrize(
    ("number", "target", "message"),
    [
        (errno.EFBIG, "x", "new: expected to write this file"),
        (errno.ENOSPC, "x", "new: expected room on the disk"),
        (errno.EACCES, None, "000.png: expected to read this file, got 'Permission denied'"),
    ],
)
def test_it_is_told_what_the_disk_refused(here, monkeypatch, capsys, number, target, message):
    def copyfile(source, _target):
        raise OSError(number, os.strerror(number), source, None, target)

    monkeypatch.setattr("fivefold.apps.data_files.folder_writing.shutil.copyfile", copyfile)
    assert run(["data", "convert", "photos", "-o", "new"]) == 6
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["photos"]


@pytest.mark.parametrize("target", ["empty", "nowhere", "new"])
@pytest.mark.parametrize("command", [["convert"], ["resize", "--max-size=8"]])
def test_a_link_is_no_new_folder(here, capsys, command, target):
    (here / "empty").mkdir()
    (here / "new").symlink_to(target)
    assert run(["data", command[0], "photos", "-o", "new", *command[1:]]) == 2
    assert "new: expected a new folder, got a link" in capsys.readouterr().err
    assert (here / "new").is_symlink()


def test_several_columns_of_labels_stay_so_in_a_table_alone(here, capsys):
    rows = "image,tissue,stain\ncircle/000.png,x,p\nsquare/001.png,y,q\n"
    (here / "t.csv").write_text(rows)
    named = ["t.csv", "--images", "photos"]
    command = ["data", "convert", *named, "--label-column", "tissue,stain", "-o"]
    assert run([*command, "new.csv"]) == 0
    assert (
        "dataset: {csv: new.csv, images: photos, label_column: [tissue, stain]}"
        in capsys.readouterr().err
    )
    assert (here / "new.csv").read_text().split() == rows.split()
    assert run([*command, "new.json"]) == 3
    told = "expected one set of classes, got 2 columns of labels\n    name one column with"
    assert told in capsys.readouterr().err
    assert run([*command, "c.csv", "--new-separator", "$"]) == 2
    told = "--new-separator: expected no such option with several columns of labels"
    assert told in capsys.readouterr().err
    again = ["data", "stats", *named, "--label-column", "tissue", "--label-column", "stain"]
    assert run(again) == 0
    assert "tissue: x" in capsys.readouterr().out
