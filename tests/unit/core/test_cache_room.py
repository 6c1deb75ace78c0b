"""Which files of the cache go, and in which order."""

import os
import shutil
import time
from collections import namedtuple

import pytest

from fivefold.core import cache_room
from fivefold.core.cache_home import CacheHome
from fivefold.core.cache_room import make_room, mark_used, spare_bytes

Usage = namedtuple("Usage", "total used free")


def entry(home, number, *, age, size=100, kind="pixels/aa"):
    """Write an entry of an index and an array that was used so many seconds ago."""
    folder = home.folder(kind)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:032x}{suffix}" for suffix in (".index", ".npy")]
    paths[0].write_bytes(b"i" * 10)
    paths[1].write_bytes(b"p" * (size - 10))
    for path in paths:
        os.utime(path, (time.time() - age,) * 2)
    return paths[0]


def left(home):
    return {int(path.stem, 16) for path in home.root.rglob("*.npy")}


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 500)


def test_an_empty_cache_has_room_up_to_its_limit(home):
    assert make_room(home, 500)
    assert not make_room(home, 501)


def test_what_was_not_used_for_the_longest_time_goes_first(home):
    for number, age in enumerate([30, 50, 10, 40, 20]):
        entry(home, number, age=age, kind="features" if number % 2 else "pixels/aa")
    assert make_room(home, 1)
    assert left(home) == {0, 2, 3, 4}
    assert make_room(home, 250)
    assert left(home) == {2, 4}
    assert not list(home.root.rglob("*1.index"))


def test_use_is_marked(home):
    first, second = entry(home, 1, age=50), entry(home, 2, age=40)
    mark_used([first, first.with_name("gone.index")])
    assert make_room(home, 400)
    assert left(home) == {1}
    assert not second.exists()


def test_what_is_in_use_stays(home):
    kept = entry(home, 1, age=50)
    entry(home, 2, age=40)
    assert make_room(home, 400, [kept])
    assert left(home) == {1}


def test_nothing_goes_in_vain(home):
    kept = entry(home, 1, age=50)
    entry(home, 2, age=40)
    assert not make_room(home, 401, [kept])
    assert left(home) == {1, 2}


def test_nothing_goes_for_the_sake_of_what_is_being_written(home):
    entry(home, 1, age=50)
    (home.folder("pixels") / "aa" / ".tmp-1-x").write_bytes(b"x" * 300)
    assert not make_room(home, 300)
    assert left(home) == {1}


def test_files_that_are_not_ours_are_neither_counted_nor_removed(home, tmp_path):
    entry(home, 1, age=50)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ("a" * 32 + ".npy")).write_bytes(b"x" * 400)
    mine = [home.root / "notes.npy", home.folder("pixels") / "holiday.jpg", home.root / "stages"]
    mine[0].write_bytes(b"x" * 400)
    mine[1].write_bytes(b"x" * 400)
    mine[2].mkdir()
    mine.append(mine[2] / ("b" * 32 + ".json"))
    mine[3].write_bytes(b"x" * 400)
    (home.folder("pixels") / "link").symlink_to(outside)
    (home.folder("pixels") / ("c" * 32 + ".npy")).symlink_to(outside / ("a" * 32 + ".npy"))
    assert make_room(home, 500)
    assert all(path.exists() for path in mine)
    assert (outside / ("a" * 32 + ".npy")).exists()
    assert not home.folder("pixels").joinpath("aa", f"{1:032x}.npy").exists()


def test_the_disk_is_not_filled(home, monkeypatch):
    entry(home, 1, age=50)
    usage = Usage(1000, 900, 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert spare_bytes(home.root) == 50
    assert make_room(home, 50)
    assert left(home) == {1}
    assert not make_room(home, 151)
    assert make_room(home, 150)
    assert left(home) == set()


def test_a_large_disk_keeps_two_gigabytes_free(home, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**13, 0, 5 * 10**9))
    assert spare_bytes(home.root) == 3 * 10**9


def test_what_killed_writers_left_goes_after_a_day_and_is_counted_before(home):
    folder = home.folder("pixels") / "aa"
    folder.mkdir(parents=True)
    old, new = folder / ".tmp-1-x", folder / ".tmp-2-x"
    old.write_bytes(b"x" * 450)
    os.utime(old, (time.time() - 90_000,) * 2)
    new.write_bytes(b"x" * 100)
    assert not make_room(home, 401)
    assert make_room(home, 400)
    assert [path.name for path in folder.iterdir()] == [new.name]


def test_a_file_that_cannot_be_removed_stays_and_others_go(home, monkeypatch):
    """Windows keeps a file that another process has mapped."""
    mapped = entry(home, 1, age=50).with_suffix(".npy")
    entry(home, 2, age=40)
    original = cache_room.Path.unlink

    def unlink(path, **options):
        if path == mapped:
            raise PermissionError(13, "in use")
        original(path, **options)

    monkeypatch.setattr(cache_room.Path, "unlink", unlink)
    assert make_room(home, 380)
    assert left(home) == {1}
    assert not make_room(home, 450)
