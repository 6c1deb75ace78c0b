"""Pixels go to the disk, to memory or nowhere, and what is not as wanted is said once."""

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from fivefold.core.cache_home import CacheHome
from fivefold.data import pixel_store
from fivefold.data.kept import Kept, PixelMemory
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import Known, ShardWriter

SHAPE = (10, 10, 3)


def digest_of(i):
    return hashlib.sha256(str(i).encode()).hexdigest()


def pixels_of(i):
    return np.full(SHAPE, i, np.uint8)


def kept_of(count, home, **options):
    return Kept(Preprocess(SHAPE, lambda image: image), count, home, **options)


def fill(kept, count, start=0):
    for i in range(start, start + count):
        kept.keep(i, digest_of(i), pixels_of(i), Known(20, 30))
    kept.commit()


def on_disk(kept, count):
    rows = kept.rows([digest_of(i) for i in range(count)])
    return [i for i in range(count) if rows is not None and rows.read(i) is not None]


def in_memory(kept, count):
    return [i for i in range(count) if kept.memory.get(i) is not None]


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 10**6)


def test_pixels_go_to_the_disk_and_take_no_memory(home):
    kept = kept_of(5, home)
    fill(kept, 5)
    assert (on_disk(kept, 5), in_memory(kept, 5)) == ([0, 1, 2, 3, 4], [])


def test_without_a_cache_memory_keeps_them(caplog):
    kept = kept_of(5, None)
    fill(kept, 5)
    assert (on_disk(kept, 5), in_memory(kept, 5)) == ([], [0, 1, 2, 3, 4])
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("byte_limit", "memory", "sentence"),
    [(10**9, [0, 1, 2, 3], "memory keeps them"), (0, [], "every epoch decodes them again")],
)
def test_more_than_the_cache_may_take_is_said_with_numbers(
    home, caplog, byte_limit, memory, sentence
):
    home = CacheHome(home.root, 1000)
    kept = kept_of(4, home, byte_limit=byte_limit)
    fill(kept, 4)
    assert (on_disk(kept, 4), in_memory(kept, 4)) == ([], memory)
    assert caplog.messages == [
        f"not all decoded images are kept on the disk, {sentence}: they need 1.2e-06 GB and the "
        "whole cache may take 1e-06 GB; `cache: 0.01` has room for them"
    ]
    assert not home.root.exists()


def test_the_size_that_is_proposed_is_enough(home, caplog):
    count = 12_345_678
    kept_of(count, CacheHome(home.root, 1000), byte_limit=0)
    proposed = float(caplog.text.partition("`cache: ")[2].partition("`")[0])
    assert count * 300 <= proposed * 1e9 <= count * 300 * 1.01


def test_a_full_disk_is_said_once_and_memory_takes_the_rest(home, caplog, monkeypatch):
    monkeypatch.setattr(pixel_store, "SHARD_BYTES", 600)
    spare = iter([True, False])
    monkeypatch.setattr(pixel_store, "make_room", lambda *_: next(spare))
    kept = kept_of(6, home)
    fill(kept, 6)
    assert (on_disk(kept, 6), in_memory(kept, 6)) == ([0, 1], [2, 3, 4, 5])
    (message,) = caplog.messages
    assert "GB to spare; free some space, or name a folder on a larger disk" in message
    assert "FIVEFOLD_CACHE" in message


def test_a_disk_that_fails_while_writing_is_said_once(home, caplog, monkeypatch):
    original = ShardWriter.add

    def add(self, *row):
        if len(self) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(self, *row)

    monkeypatch.setattr(ShardWriter, "add", add)
    kept = kept_of(5, home)
    fill(kept, 5)
    assert (on_disk(kept, 5), in_memory(kept, 5)) == ([], [2, 3, 4])
    (message,) = caplog.messages
    assert message.endswith("No space left on device")
    assert not list(home.root.rglob(".tmp-*"))


def test_a_disk_that_fails_at_the_end_is_said_once(home, caplog, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    kept = kept_of(2, home)
    monkeypatch.setattr(os, "fsync", fail)
    fill(kept, 2)
    assert on_disk(kept, 2) == []
    (message,) = caplog.messages
    assert "expected to write this file, got 'Input/output error'" in message
    assert "run the same command again" not in message


def test_a_cache_that_is_a_file_is_said_and_work_goes_on(home, caplog):
    home.root.write_text("mine")
    kept = kept_of(2, home)
    fill(kept, 2)
    assert in_memory(kept, 2) == [0, 1]
    assert len(caplog.messages) == 1
    assert f"cache: expected a folder at {home.root}, its usual place: " in caplog.text
    assert home.root.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_said_and_still_read(home, caplog, monkeypatch):
    def refuse(self, mode="r", *args, **options):
        if "x" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(self, mode, *args, **options)

    fill(kept_of(3, home), 3)
    opened = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    kept = kept_of(5, home)
    fill(kept, 5)
    assert (on_disk(kept, 5), in_memory(kept, 5)) == ([0, 1, 2], [3, 4])
    (message,) = caplog.messages
    assert message.endswith("Permission denied")


def test_memory_gives_back_what_was_put_there():
    memory = PixelMemory(3, SHAPE, 900)
    assert (memory.fits, memory.get(1)) == (True, None)
    memory.put(1, pixels_of(7))
    assert np.array_equal(memory.get(1), pixels_of(7))
    assert (memory.get(0), memory.num_known()) == (None, 1)
    with pytest.raises(ValueError, match="read-only"):
        memory.get(1)[:] = 0


def test_memory_that_is_too_small_for_all_keeps_none():
    memory = PixelMemory(3, SHAPE, 899)
    memory.put(1, pixels_of(7))
    assert (memory.fits, memory.get(1), memory.num_known()) == (False, None, 0)
