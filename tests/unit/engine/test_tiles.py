from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from fivefold.core.errors import ConfigError
from fivefold.engine.tiles import Axis, Tiling, overlap_of

SIDES = st.integers(1, 90)


def joined(image, tile, overlap, answer):
    tiling = Tiling(image.shape[:2], tile, overlap)
    tiles = list(tiling.tiles(image))
    assert len(tiles) == len(tiling)
    assert all(one.shape == (*tile, image.shape[2]) for one in tiles)
    return np.concatenate(list(tiling.join(answer(one) for one in tiles)))


def each_pixel(tile):
    return np.moveaxis(tile.astype(np.float32) / np.float32(255), 2, 0)


@settings(max_examples=80, deadline=None)
@given(SIDES, SIDES, st.integers(1, 40), st.integers(1, 40), st.floats(0, 0.5))
def test_tiles_of_a_net_that_sees_single_pixels_are_the_whole_image(h, w, th, tw, overlap):
    image = np.random.default_rng(h * w).integers(0, 256, (h, w, 2), dtype=np.uint8)
    expected = np.moveaxis(each_pixel(image), 0, 2)
    np.testing.assert_array_equal(joined(image, (th, tw), overlap, each_pixel), expected)


def around(image, reach=3):
    """A net whose answer depends on so many pixels around; beyond the edge it sees zeros."""
    window = (2 * reach + 1, 2 * reach + 1, 1)
    mean = uniform_filter(image.astype(np.float64) / 255, window, mode="constant")
    return np.moveaxis(mean, 2, 0).astype(np.float32)


@pytest.mark.parametrize("size", [(24, 24), (25, 60), (61, 47), (100, 91)])
def test_a_net_that_sees_no_farther_than_a_quarter_of_the_overlap_has_no_seams(size):
    image = np.random.default_rng(1).integers(0, 256, (*size, 1), dtype=np.uint8)
    found = joined(image, (24, 24), 0.5, around)
    np.testing.assert_allclose(found, np.moveaxis(around(image), 0, 2), atol=1e-6)


def test_without_overlap_such_a_net_has_seams():
    image = np.random.default_rng(1).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    found = joined(image, (24, 24), 0, around)
    assert np.abs(found - np.moveaxis(around(image), 0, 2)).max() > 0.05


def test_a_seam_fades_from_one_tile_to_the_next_without_a_jump():
    image = np.zeros((16, 40, 1), np.uint8)
    answers = iter([np.zeros((1, 16, 24), np.float32), np.ones((1, 16, 24), np.float32)])
    tiling = Tiling((16, 40), (16, 24), 1 / 3)
    assert len(list(tiling.tiles(image))) == 2
    (row,) = np.unique(np.concatenate(list(tiling.join(answers)))[..., 0], axis=0)
    steps = np.diff(row)
    assert (steps >= 0).all()
    assert (row[:18] == 0).all()
    assert (row[22:] == 1).all()
    assert 0 < steps.max() < 0.5


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 500), st.integers(1, 100), st.floats(0, 0.5))
def test_neighbours_share_as_much_as_was_asked_and_every_pixel_is_decided_once(length, tile, part):
    axis = Axis(max(length, tile), tile, round(part * tile))
    starts = axis.starts
    assert starts[0] == 0
    assert starts[-1] + tile == axis.length
    assert all(b < a + tile - axis.overlap + 1 for a, b in pairwise(starts))
    fewest = -(-(axis.length - tile) // (tile - axis.overlap)) + 1
    assert len(starts) == fewest
    for i in range(len(starts) - 1):
        (first, last), (after, end) = axis.own(i), axis.own(i + 1)
        assert last - after == 2 * axis.reach
        assert starts[i] <= first <= after <= last <= starts[i] + tile
        assert starts[i + 1] <= after < end


def test_what_a_user_says_of_tiles():
    assert overlap_of(False) is None
    assert overlap_of(True) == 0.25
    assert overlap_of(0.0) == 0


@pytest.mark.parametrize("wrong", [-0.1, 0.51, 1, float("nan")])
def test_an_overlap_of_more_than_half_a_tile_is_refused(wrong):
    """`config/tiles`."""
    with pytest.raises(ConfigError, match=r"tiles: expected an overlap from 0 to 0.5 of a tile"):
        overlap_of(wrong)
