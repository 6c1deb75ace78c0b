import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fivefold.data import packed_numbers
from fivefold.data.packed import PackedTexts
from fivefold.data.packed_numbers import (
    PackedStamps,
    PackedTargets,
    packed_stamps,
    packed_targets,
    targets_in_parts,
)

STAMPS = st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)).map("{0[0]}:{0[1]}".format)


@given(st.lists(st.one_of(STAMPS, st.text("0123456789:", max_size=9))))
def test_marks_of_files_come_back_as_they_were(stamps):
    found = packed_stamps(iter(stamps))
    assert found == tuple(stamps)
    assert [found[k] for k in range(len(stamps))] == stamps


@pytest.mark.parametrize("odd", ["", "1:", "01:2", "1:٣", "1:2\n", "-1:2", "9" * 20 + ":1"])
def test_marks_that_are_no_two_numbers_are_kept_as_texts(odd):
    found = packed_stamps(["1:2", odd])
    assert (type(found), list(found)) == (PackedTexts, ["1:2", odd])


def test_a_mark_takes_twelve_bytes():
    stamps = [f"{10**8 + i}:{1718 * 10**15 + i * 10**10}" for i in range(1000)]
    found = packed_stamps(stamps)
    assert isinstance(found, PackedStamps)
    assert len(pickle.dumps(found)) / 1000 < 13


SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=20)


@given(arrays(np.float32, SHAPES, elements=st.sampled_from([0.0, 1.0])))
def test_truths_of_zero_and_one_come_back_bit_by_bit(targets):
    found = packed_targets(targets)
    assert isinstance(found, PackedTargets)
    assert (found.shape, len(found)) == (targets.shape, len(targets))
    assert found.tobytes() == targets.tobytes()
    assert np.asarray(found).dtype == np.float32


KEYS = [1, -1, [2, 0, 2], slice(1, None), (slice(None), slice(0, 3)), (2, slice(4, 11)), (0, 9)]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_truths_are_indexed_as_an_array_is(key):
    targets = np.random.default_rng(0).integers(0, 2, (3, 11)).astype(np.float32)
    assert np.array_equal(packed_targets(targets)[key], targets[key])
    assert np.array_equal(packed_targets(targets).take(np.array([2, 1]))[:], targets[[2, 1]])


@pytest.mark.parametrize("odd", [0.5, -0.0, np.nan, 2])
def test_other_truths_are_kept_as_they_are(odd):
    targets = np.array([[0, 1], [odd, 1]], dtype=np.float32)
    assert packed_targets(targets) is targets


def test_truths_are_not_given_without_a_copy():
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(packed_targets(np.eye(3, dtype=np.float32)), copy=False)


@pytest.mark.parametrize("odd", [None, 0, 9])
@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_truths_in_parts_are_those_at_once(monkeypatch, count, odd):
    monkeypatch.setattr(packed_numbers, "_PART", 4)
    targets = np.random.default_rng(0).integers(0, 2, (count, 3)).astype(np.float32)
    if odd is not None:
        targets[min(odd, count - 1), 1] = 0.5
    found = targets_in_parts(count, lambda places: [targets[k] for k in places])
    assert type(found) is type(packed_targets(targets))
    assert found.tobytes() == targets.tobytes()
