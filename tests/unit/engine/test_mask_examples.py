"""Which masks are drawn, and how."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import jaccard_score

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.engine.mask_examples import (
    ShownMask,
    captions_of,
    draw_masks,
    pick_masks,
    steady_masks,
    worst_masks,
)
from fivefold.evaluation.mask_counts import image_ious

CELL = Head("", "sigmoid", ("cell",))
ORGANS = Head("", "softmax", ("none", "liver", "heart"))


def scores(hits, said, true, head=CELL, ids=None):
    """Make scores of images from pixels of each class."""
    arrays = [np.array(a, np.int64).reshape(-1, head.num_classes) for a in (hits, said, true)]
    count = len(arrays[0])
    soft = np.zeros((count, head.num_classes))
    return MaskScores(
        tuple(ids or [f"n{i:02}" for i in range(count)]),
        (head,),
        *arrays,
        np.full(count, 100),
        soft,
        soft,
        soft[:, 0],
    )


def of_quality(hits):
    return scores(hits, [100] * len(hits), [100] * len(hits))


def test_the_iou_of_an_image_is_scikit_learn_s_of_what_is_not_background():
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 3, (2, 5, 60))
    numbers = [
        [[np.sum(f(t, s, k)) for k in range(3)] for t, s in zip(truth, said, strict=True)]
        for f in (
            lambda t, s, k: (t == k) & (s == k),
            lambda t, s, k: s == k,
            lambda t, s, k: t == k,
        )
    ]
    expected = [
        jaccard_score(t, s, labels=[1, 2], average="macro")
        for t, s in zip(truth, said, strict=True)
    ]
    np.testing.assert_allclose(image_ious(scores(*numbers, ORGANS)), expected)


def test_an_empty_image_is_right_if_nothing_is_said_and_else_wrong():
    found = scores([0, 0, 0], [0, 5, 0], [0, 0, 5])
    assert image_ious(found).tolist() == [1, 0, 0]
    assert captions_of(found) == [
        "✓ nothing to find, nothing said",
        "✗ nothing to find",
        "IoU 0.00, missed: cell",
    ]


def test_classes_that_were_missed_are_named():
    found = scores([[9, 4, 0]], [[9, 4, 2]], [[9, 8, 3]], ORGANS)
    assert captions_of(found) == ["IoU 0.25, missed: heart"]


def test_the_worst_the_middle_and_the_best_are_shown():
    found = of_quality([90, 10, 50, 30, 70, 20, 60, 80, 40])
    picked = pick_masks(found, 6)
    assert found.hits[picked, 0].tolist() == [10, 20, 40, 50, 80, 90]
    assert len(pick_masks(found, 12)) == 9
    assert found.hits[worst_masks(found, 2), 0].tolist() == [10, 20]


def test_what_is_wholly_right_is_no_mistake():
    assert worst_masks(of_quality([100, 100]), 5).tolist() == []


def test_the_same_images_are_steady_whatever_was_found():
    true = [0, 5, 0, 9, 0, 3, 0, 0]
    chosen = [steady_masks(scores([hit] * 8, [9] * 8, true), 4).tolist() for hit in (0, 2)]
    assert chosen[0] == chosen[1]
    assert {true[row] > 0 for row in chosen[0]} == {True, False}


def test_equal_images_are_told_apart_by_their_ids():
    found = scores([1, 1, 1], [5, 5, 5], [5, 5, 5], ids=["c", "a", "b"])
    assert worst_masks(found, 3).tolist() == [1, 2, 0]


def shown(head, count=3, value=1, size=(30, 40)):
    planes = 1 if head.activation == "softmax" else head.num_classes
    mask = np.zeros((*size, planes), np.uint8)
    mask[5:15, 5:15] = value
    image = np.full((*size, 3), 90, np.uint8)
    return [ShownMask(f"n{i}", image, (mask, mask), "IoU 1.00") for i in range(count)]


def size_of(png):
    return Image.open(io.BytesIO(png)).size


def test_image_truth_and_prediction_lie_side_by_side_and_give_the_same_bytes():
    first = draw_masks(shown(CELL, 2), CELL)
    assert first == draw_masks(shown(CELL, 2), CELL)
    pixels = np.asarray(Image.open(io.BytesIO(first)).convert("RGB"))
    orange = (np.abs(pixels.astype(int) - (230, 159, 0)).max(axis=2) < 3).any(axis=0)
    starts = np.flatnonzero(orange[1:] & ~orange[:-1])
    assert len(np.unique(starts // 100)) >= 4  # truth and prediction of two samples


def test_several_classes_have_a_legend_and_so_has_what_does_not_count():
    one, several = (size_of(draw_masks(shown(h), h)) for h in (CELL, ORGANS))
    assert several[1] > one[1]
    assert size_of(draw_masks(shown(CELL, value=255), CELL))[1] > one[1]


def test_many_classes_with_long_names_still_fit():
    head = Head("", "softmax", tuple(f"class {'x' * 50} {k}" for k in range(40)))
    assert size_of(draw_masks(shown(head, 1), head))[0] < 700


def test_nothing_cannot_be_drawn():
    with pytest.raises(DataError, match="expected at least 1 image, got 0"):
        draw_masks([], CELL)
