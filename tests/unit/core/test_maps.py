"""Files of maps: what comes back, alone and in any order, and what damage becomes."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fivefold.core.errors import DataError, ResourceError, StateError
from fivefold.core.maps import HALF, Maps, MapWriter, Packed, to_map
from fivefold.core.types import Head

CELL = Head("", "sigmoid", ("cell", "edge"))
ORGAN = Head("", "softmax", ("none", "liver", "heart"))


def map_of(seed, size=(12, 9), classes=2):
    return np.random.default_rng(seed).integers(0, 256, (*size, classes), dtype=np.uint8)


def written(path, samples, head=CELL, **place):
    with MapWriter(path, head, **place) as writer:
        for name, probs, truth in samples:
            writer.add(name, Packed.of(probs, truth))
        writer.commit()
    return Maps(path)


def test_each_map_comes_back_alone_with_its_own_size_and_truth(tmp_path):
    samples = [
        ("b", map_of(0), np.ones((12, 9, 2), np.uint8)),
        ("a\ud800", map_of(1, (3, 4)), None),
        ("", map_of(2, (1, 1)), None),
    ]
    maps = written(tmp_path / "x.maps", samples, fold=2, stage=1)
    assert (maps.ids, maps.head, maps.fold, maps.stage) == (("b", "a\ud800", ""), CELL, 2, 1)
    for name, probs, truth in reversed(samples):
        np.testing.assert_array_equal(maps.read(name), probs)
        assert (maps.truth(name) is None) == (truth is None)
    np.testing.assert_array_equal(maps.truth("b"), samples[0][2])
    assert [name for name, _, _ in maps.pairs()] == list(maps.ids)
    assert "b" in maps
    assert "c" not in maps


def test_truth_of_exclusive_classes_has_one_plane(tmp_path):
    truth = np.array([[[0], [2]], [[1], [255]]], np.uint8)
    maps = written(tmp_path / "x.maps", [("a", map_of(0, (2, 2), 3), truth)], ORGAN)
    np.testing.assert_array_equal(maps.truth("a"), truth)


def test_the_same_maps_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        written(tmp_path / name, [("a", map_of(0), None), ("b", map_of(1), map_of(2))])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_threads_and_other_processes_read_the_same(tmp_path):
    maps = written(tmp_path / "x.maps", [(str(i), map_of(i), None) for i in range(40)])
    there = copy(maps)  # as pickle would, by `__reduce__`
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(there.read, maps.ids))
    for i, probs in enumerate(found):
        np.testing.assert_array_equal(probs, map_of(i))


def test_a_file_without_samples_can_be_read(tmp_path):
    assert len(written(tmp_path / "x.maps", [])) == 0


def test_a_sample_that_comes_twice_is_refused_and_leaves_no_file(tmp_path):
    path = tmp_path / "x.maps"
    with pytest.raises(DataError, match=r"x\.maps: expected one map for each sample") as error:
        written(path, [("a", map_of(0), None), ("a", map_of(1), None)])
    assert error.value.slug == "data/maps"
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_committed_leaves_nothing(tmp_path):
    with MapWriter(tmp_path / "x.maps", CELL) as writer:
        writer.add("a", Packed.of(map_of(0)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "predictions").write_text("")
    with pytest.raises(ResourceError, match=r"x\.maps: expected to write this file"):
        MapWriter(tmp_path / "predictions" / "x.maps", CELL)


@pytest.mark.parametrize("place", [0, 20, -100, -45, -10])
def test_a_changed_byte_anywhere_is_found_before_anything_is_believed(tmp_path, place):
    path = tmp_path / "x.maps"
    written(path, [("a", map_of(0), map_of(1))])
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match=r"x\.maps: expected a file of maps, got") as error:
        Maps(path).read("a")
    assert error.value.slug == "state/damaged"


@pytest.mark.parametrize("kept", [0, 4, 30, -1])
def test_a_file_that_was_cut_short_is_damaged(tmp_path, kept):
    path = tmp_path / "x.maps"
    written(path, [("a", map_of(0), None)])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StateError, match=r"x\.maps: expected a file of maps, got"):
        Maps(path)


def test_a_missing_file_names_the_way_out(tmp_path):
    path = tmp_path / "predictions" / "validation-0.1.maps"
    with pytest.raises(StateError, match=r"expected a file of maps") as error:
        Maps(path)
    assert "`fivefold fit` then predicts it again" in str(error.value)


@pytest.mark.slow
def test_a_hundred_thousand_maps_take_no_memory_but_their_index(tmp_path):
    packed = Packed.of(np.zeros((64, 64, 2), np.uint8))
    tracemalloc.start()
    with MapWriter(tmp_path / "x.maps", CELL) as writer:
        for i in range(100_000):
            writer.add(f"images/{i:06d}.jpg", packed)
        writer.commit()
    maps = Maps(tmp_path / "x.maps")
    assert maps.read("images/099999.jpg").shape == (64, 64, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # the maps themselves are 819 MB


@given(arrays.arrays(np.float32, 50, elements=st.floats(0, 1, width=32)))
def test_whole_numbers_are_the_nearest_and_keep_the_side_of_one_half(probs):
    found = to_map(probs)
    assert np.abs(found / 255 - probs).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(found > HALF, probs > 0.5)
