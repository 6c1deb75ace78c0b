"""Masks over pictures."""

import numpy as np
import pytest

from fivefold.core.masks import IGNORED, MaskKind
from fivefold.engine.overlays import (
    COLOURS,
    IGNORED_COLOUR,
    colour_of,
    overlaid,
    planes_of,
    scaled,
)

ORGANS = MaskKind(4, exclusive=True)
CELLS = MaskKind(2, exclusive=False)
GREY = np.full((20, 30, 3), 100, np.uint8)


def square(kind, value=1, plane=0):
    mask = np.zeros((20, 30, kind.planes), np.uint8)
    mask[5:15, 5:15, plane] = value
    return mask


def test_the_background_of_exclusive_classes_is_left_as_it_is():
    assert list(planes_of(square(ORGANS, 2), ORGANS)) == [1, 2, 3]
    np.testing.assert_array_equal(overlaid(GREY, square(ORGANS, 0), ORGANS), GREY)
    assert list(planes_of(square(CELLS), CELLS)) == [0, 1]


def test_a_class_has_its_colour_at_its_edge_and_some_of_it_inside():
    drawn = overlaid(GREY, square(ORGANS, 2), ORGANS)
    assert tuple(drawn[5, 10]) == colour_of(ORGANS, 2) == COLOURS[1]
    assert tuple(drawn[10, 10]) == tuple(np.round(65 + 0.35 * np.array(COLOURS[1])))
    assert tuple(drawn[0, 0]) == (100, 100, 100)
    assert drawn[4, 10].max() < 30  # dark around it, so that it is seen on its own colour
    plain = overlaid(GREY, square(ORGANS, 2), ORGANS, filled=False)
    assert tuple(plain[10, 10]) == (100, 100, 100)


def test_where_a_class_meets_the_picture_s_border_there_is_no_outline():
    mask = np.ones((20, 30, 2), np.uint8) * np.array([1, 0], np.uint8)
    assert len(np.unique(overlaid(GREY, mask, CELLS).reshape(-1, 3), axis=0)) == 1


def test_pixels_that_do_not_count_are_grey():
    drawn = overlaid(GREY, square(ORGANS, IGNORED), ORGANS)
    assert tuple(drawn[10, 10]) == tuple(np.round(40 + 0.6 * np.array(IGNORED_COLOUR)))


def test_colours_come_again_after_the_last():
    many = MaskKind(20, exclusive=False)
    assert colour_of(many, 7) == colour_of(many, 0)


@pytest.mark.parametrize("channels", [1, 2, 4, 9])
def test_images_of_any_channels_are_drawn_in_rgb(channels):
    image = np.zeros((20, 30, channels), np.uint8)
    assert overlaid(image, square(CELLS), CELLS).shape == (20, 30, 3)


def test_enlarged_masks_have_no_new_values_and_smaller_ones_keep_thin_lines():
    line = np.zeros((40, 40, 1), np.uint8)
    line[:, 20] = 3
    larger = scaled(line, ORGANS, (100, 100))
    assert set(np.unique(larger)) == {0, 3}
    smaller = scaled(line, ORGANS, (20, 20))
    assert (smaller[:, 10, 0] == 3).all()
    assert smaller.sum() == 3 * 20
    several = scaled(square(CELLS, plane=1), CELLS, (10, 15))
    assert several[..., 1].sum() in range(20, 37)
    assert not several[..., 0].any()
