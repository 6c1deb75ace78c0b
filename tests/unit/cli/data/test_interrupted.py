"""Ctrl-C in the middle: what was there stays, and nothing half is left."""

import errno
import os
import shutil

import pytest
from shapes import draw_folders

from fivefold.cli.app import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw_folders(tmp_path / "photos", 4)
    return tmp_path


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def interrupting(monkeypatch, target, after, error=KeyboardInterrupt):
    """Have the function at a dotted name interrupt or fail at a later call."""
    left = [after]

    def call(*args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            raise error
        return original(*args, **kwargs)

    module, _, name = target.rpartition(".")
    owner = os if module.endswith(".os") else __import__(module, fromlist=[name])
    original = getattr(owner, name)
    monkeypatch.setattr(target, call)


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (["convert", "-o", "new"], "fivefold.apps.data_files.folder_writing.list_files"),
        (["convert", "-o", "a.json"], "fivefold.apps.data_files.coco_writing.file_name"),
        (["convert", "-o", "a.csv"], "fivefold.apps.data_files.writing._line"),
        (["labels", "-o", "a.csv"], "fivefold.apps.data_files.writing._line"),
        (["split", "-o", "a.csv"], "fivefold.apps.data_files.writing._line"),
        (["resize", "-o", "new", "--max-size=8"], "fivefold.apps.data_files.resizing._put"),
        (["sample", "-o", "new"], "fivefold.apps.data_files.folder_writing._take_name"),
    ],
)
def test_nothing_half_is_left(here, monkeypatch, capsys, arguments, target):
    before = names(here)
    interrupting(monkeypatch, target, 3 if "list" not in target and "take" not in target else 0)
    assert run(["data", arguments[0], "photos", *arguments[1:]]) == 130
    assert "stopped" in capsys.readouterr().err
    assert names(here) == before


def test_of_images_resized_into_a_folder_that_is_there_each_is_whole(here, monkeypatch, capsys):
    whole = here / "whole"
    assert run(["data", "resize", "photos", "-o", "whole", "--max-size", "8", "--jobs", "1"]) == 0
    expected = {name: (whole / name).read_bytes() for name in names(whole)}
    shutil.rmtree(whole)
    whole.mkdir()
    (whole / "mine.txt").touch()
    interrupting(monkeypatch, "fivefold.apps.data_files.resizing.write_bytes", 5)
    command = ["data", "resize", "photos", "-o", "whole", "--max-size", "8", "--jobs", "1"]
    assert run([*command, "--force"]) == 130
    found = [name for name in names(whole) if name != "mine.txt"]
    assert len(found) == 5
    assert all((whole / name).read_bytes() == expected[name] for name in found)


@pytest.mark.parametrize(
    ("arguments", "target", "after"),
    [
        (["split", "-o", "a.csv"], "fivefold.apps.data_files.writing.os.fsync", 1),
        (["split", "-o", "a.csv"], "fivefold.apps.data_files.writing.os.fsync", 2),
        (["labels", "-o", "a.csv"], "fivefold.apps.data_files.writing.os.fsync", 0),
        (["labels", "-o", "a.csv"], "fivefold.core.durable.os.fsync", 1),
    ],
)
def test_a_disk_that_is_full_for_one_file_gets_none(
    here, monkeypatch, capsys, arguments, target, after
):
    before = names(here)
    interrupting(monkeypatch, target, after, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert run(["data", arguments[0], "photos", *arguments[1:]]) == 6
    assert "expected room on the disk, got 'No space left" in capsys.readouterr().err
    assert names(here) == before
