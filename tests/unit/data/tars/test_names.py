from pathlib import Path

import pytest

from fivefold.core.errors import DataError
from fivefold.data.tars.names import shard_paths


@pytest.fixture
def folder(tmp_path):
    for name in ("a-008.tar", "a-009.tar", "a-010.tar", "b-1.tar", "x{1}.tar"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a-{008..010}.tar", ["a-008.tar", "a-009.tar", "a-010.tar"]),
        ("a-{010..008}.tar", ["a-010.tar", "a-009.tar", "a-008.tar"]),
        ("{b-1,a-008}.tar", ["b-1.tar", "a-008.tar"]),
        ("{a-00{8..9},b-1}.tar", None),
        ("a-0{0,1}{8..8}.tar", None),
        ("a-*.tar", ["a-008.tar", "a-009.tar", "a-010.tar"]),
        ("{a,b}-*1*.tar", ["a-010.tar", "b-1.tar"]),
        ("b-1.tar", ["b-1.tar"]),
    ],
)
def test_patterns_name_files_in_order(pattern, names, folder):
    if names is None:
        with pytest.raises(DataError, match="expected tar files, got nothing at"):
            shard_paths(folder / pattern)
        return
    assert [path.name for path in shard_paths(folder / pattern)] == names


def test_the_first_missing_one_is_named(folder):
    text = r"a-\{007\.\.012\}\.tar: expected tar files, got nothing at '.*a-007\.tar' and 2 more"
    with pytest.raises(DataError, match=text) as error:
        shard_paths(folder / "a-{007..012}.tar")
    assert error.value.slug == "data/missing-shards"


def test_asterisks_that_fit_nothing_are_named(folder):
    with pytest.raises(DataError, match=r"got nothing at '.*z\*\.tar'"):
        shard_paths(folder / "z*.tar")


def test_no_file_comes_twice(folder):
    with pytest.raises(DataError, match="expected each tar file once, got 1 of them again"):
        shard_paths(folder / "{b-1,b-1}.tar")


def test_there_are_not_more_than_anyone_has():
    with pytest.raises(DataError, match="at most 100,000 tar files, got 1,000,000,000,001"):
        shard_paths(Path("{0..1000000000000}.tar"))
    with pytest.raises(DataError, match="at most 100,000 tar files, got 1,000,000"):
        shard_paths(Path("{0..999}{0..999}.tar"))
