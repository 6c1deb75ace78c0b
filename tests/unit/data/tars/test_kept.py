import logging

import numpy as np
import pytest
from tar_files import write_tar

from fivefold.core.cache_home import CacheHome
from fivefold.data.tars import kept
from fivefold.data.tars.kept import index_of
from fivefold.data.tars.members import read_tar


@pytest.fixture
def tar(tmp_path):
    names = [
        "\ud800/1.jpg".encode("utf-8", "surrogatepass").decode("utf-8", "ignore"),
        "a\nb/2.jpg",
    ]
    return write_tar(tmp_path / "a.tar", [(name, "x") for name in (*names, "2.cls")])


@pytest.fixture
def home(tmp_path):
    return CacheHome(tmp_path / "cache", 10**9)


def same(one, other):
    assert list(one.keys) == list(other.keys)
    assert (one.endings, one.damaged_at) == (other.endings, other.damaged_at)
    assert np.array_equal(one.members, other.members)


def test_a_kept_index_is_the_one_that_was_read(tar, home, monkeypatch):
    first = index_of(tar, home)
    monkeypatch.setattr(kept, "read_tar", None)
    same(index_of(tar, home), first)
    same(first, read_tar(tar))


def test_an_empty_file_is_kept_too(tmp_path, home):
    tar = write_tar(tmp_path / "empty.tar", [])
    index_of(tar, home)
    assert len(index_of(tar, home).keys) == 0


def test_a_changed_file_is_read_again(tar, home):
    index_of(tar, home)
    write_tar(tar, [("3.jpg", "y" * 2000)])
    assert list(index_of(tar, home).keys) == ["3"]


def test_a_damaged_index_is_made_again(tar, home, caplog):
    first = index_of(tar, home)
    (place,) = home.folder("tars").iterdir()
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        same(index_of(tar, home), first)
    assert "a tar file's index is made again" in caplog.text


def test_a_cache_that_cannot_be_written_is_done_without(tar, tmp_path, caplog):
    (tmp_path / "file").touch()
    with caplog.at_level(logging.INFO):
        assert len(index_of(tar, CacheHome(tmp_path / "file", 10**9)).keys) == 3
    assert "its index is not kept" in caplog.text


def test_without_a_cache_it_is_read(tar):
    same(index_of(tar, None), read_tar(tar))
