"""Masks: how they are written, and how many pixels of each class they hold."""

import numpy as np

from fivefold.core.masks import IGNORED, MaskKind, counts_of, empty_mask
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
