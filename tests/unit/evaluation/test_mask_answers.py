import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from fivefold.core.types import Head
from fivefold.evaluation.mask_answers import levels_below, mask_of, shown_at

TWO = Head("", "sigmoid", ("vessel", "lesion"))
THREE = Head("", "softmax", ("ground", "cell", "nucleus"))


def test_a_pixel_shows_what_is_more_probable_than_the_threshold():
    probs = np.array([[[0.5, 0.5], [0.51, 0.2]]], dtype=np.float32)
    assert mask_of(probs, TWO).tolist() == [[[0, 0], [1, 0]]]
    assert mask_of(probs, TWO, (0.3, 0.1)).tolist() == [[[1, 1], [1, 1]]]


def test_nothing_is_above_one():
    assert not mask_of(np.ones((2, 2, 2), np.float32), TWO, (1.0, 1.0)).any()
    assert not mask_of(np.full((2, 2, 2), 255, np.uint8), TWO, (1.0, 1.0)).any()


def test_exclusive_classes_take_the_most_probable_and_of_equal_ones_the_first():
    probs = np.array([[[0.2, 0.4, 0.4], [0.1, 0.2, 0.7]]], dtype=np.float32)
    assert mask_of(probs, THREE)[..., 0].tolist() == [[1, 2]]


@given(st.integers(0, 254))
def test_thresholds_between_levels_mean_the_same_for_stored_and_exact_probabilities(level):
    threshold = (level + 0.5) / 255
    stored = np.arange(256, dtype=np.uint8)[:, None]
    exact = (np.arange(256) / 255).astype(np.float32)[:, None]
    np.testing.assert_array_equal(shown_at(stored, [threshold]), shown_at(exact, [threshold]))
    assert shown_at(stored, [threshold]).sum() == 255 - level


@given(st.integers(0, 255))
def test_a_level_is_not_above_its_own_threshold(level):
    assert levels_below([level / 255])[0] == level


def noise(seed, classes):
    rng = np.random.default_rng(seed)
    return ndimage.uniform_filter(rng.random((40, 50, classes)), (3, 3, 0)).astype(np.float32)


@pytest.mark.parametrize("areas", [(5, 12), (2, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_small_parts_are_scipys(seed, areas):
    probs = noise(seed, 2)
    found = mask_of(probs, TWO, (0.55, 0.6), areas)
    for column, (threshold, area) in enumerate(zip((0.55, 0.6), areas, strict=True)):
        plane = probs[..., column] > threshold
        parts, _ = ndimage.label(plane, np.ones((3, 3)))
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        expected = (sizes >= area)[parts]
        assert 0 < expected.sum() < plane.sum()
        np.testing.assert_array_equal(found[..., column], expected)


def test_areas_grow_with_the_image():
    probs = np.zeros((20, 20, 2), np.float32)
    probs[2:6, 2:6] = 1  # 16 pixels
    assert mask_of(probs, TWO, areas=(16, 17))[..., 0].sum() == 16
    assert mask_of(probs, TWO, areas=(16, 17))[..., 1].sum() == 0
    assert mask_of(probs, TWO, areas=(4, 5), scale=4.0).sum(axis=(0, 1)).tolist() == [16, 0]


def test_small_parts_of_exclusive_classes_become_the_first():
    probs = np.zeros((20, 20, 3), np.float32)
    probs[..., 0] = 0.5
    probs[2:4, 2:4, 1] = 0.9  # 4 pixels
    probs[8:14, 8:14, 2] = 0.9  # 36 pixels
    probs[10, 10, 0] = 1.0  # a hole of one pixel stays: the first class is kept whole
    found = mask_of(probs, THREE, areas=(1000, 5, 5))[..., 0]
    assert np.bincount(found.ravel(), minlength=3).tolist() == [400 - 35, 0, 35]


def test_input_stays_as_it_is():
    probs = noise(0, 2)
    before = probs.copy()
    mask_of(probs, TWO, (0.5, 0.5), (50, 50))
    np.testing.assert_array_equal(probs, before)
