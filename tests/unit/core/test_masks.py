"""Masks: how they are written, and how many pixels of each class they hold."""

import numpy as np
import pytest
from PIL import Image

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind, as_nearest, counts_of, empty_mask
from fivefold.core.types import Head


def test_a_softmax_head_has_one_plane_and_a_sigmoid_head_one_for_each_class():
    assert MaskKind.of_head(Head("", "softmax", ("a", "b", "c"))).planes == 1
    assert MaskKind.of_head(Head("", "sigmoid", ("a", "b", "c"))).planes == 3


def test_pixels_that_do_not_count_are_counted_for_no_class():
    numbers = np.array([[0, 2, 2], [IGNORED, 1, 2]], dtype=np.uint8)[:, :, None]
    assert counts_of(numbers, MaskKind(3, exclusive=True)).tolist() == [1, 1, 3]
    planes = np.array([[[0, 1], [1, 1]], [[IGNORED, 0], [1, IGNORED]]], dtype=np.uint8)
    assert counts_of(planes, MaskKind(2, exclusive=False)).tolist() == [2, 2]


def test_an_empty_mask_shows_the_first_of_exclusive_classes_and_none_of_others():
    for kind, counts in ((MaskKind(2, True), [12, 0]), (MaskKind(2, False), [0, 0])):
        assert counts_of(empty_mask((3, 4), kind), kind).tolist() == counts


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (7, 5), (13, 29), (40, 3)])
def test_a_mask_is_brought_to_a_size_as_pillow_does_it(size):
    mask = np.random.default_rng(0).integers(0, 256, (13, 17, 2)).astype(np.uint8)
    found = as_nearest(mask, *size)
    assert found.shape == (*size, 2)
    for plane in range(2):
        image = Image.fromarray(mask[..., plane])
        expected = np.array(image.resize(size[::-1], Image.Resampling.NEAREST))
        np.testing.assert_array_equal(found[..., plane], expected)
    np.testing.assert_array_equal(as_nearest(mask[..., 0], *size), found[..., 0])
    assert as_nearest(mask, 13, 17) is mask


@pytest.mark.parametrize("classes", [3, 40])
def test_as_many_classes_as_there_are_bytes_are_counted(classes):
    mask = np.random.default_rng(0).integers(0, classes, (30, 20, 1)).astype(np.uint8)
    mask[3] = IGNORED
    expected = np.bincount(mask[mask != IGNORED], minlength=classes).tolist()
    assert counts_of(mask, MaskKind(classes, exclusive=True)).tolist() == expected


def test_a_byte_has_no_number_for_more_exclusive_classes():
    assert MaskKind(255, exclusive=True).planes == 1
    assert MaskKind(300, exclusive=False).planes == 300
    text = "masks: expected at most 255 classes that exclude each other, got 1,000"
    with pytest.raises(DataError, match=text):
        MaskKind(1000, exclusive=True)
