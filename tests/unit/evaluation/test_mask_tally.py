"""Sums over images, and the numbers that are made of them."""

import numpy as np
import pytest

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head
from fivefold.evaluation import compute
from fivefold.evaluation.mask_tally import MaskTally, class_numbers, head_numbers

HEADS = {
    "softmax": Head("", "softmax", ("ground", "cat", "dog")),
    "sigmoid": Head("", "sigmoid", ("cat", "dog", "sky")),
}
SAME = ("iou", "dice", "precision", "recall", "image_iou", "image_dice", "log_loss")


def scores_of(head, images=7, seed=0, blank=()):
    """Count random masks of 50 pixels; of the blank images none counts, of the others some."""
    rng = np.random.default_rng(seed)
    counts = rng.random((images, 1, 50)) < 0.9
    counts[list(blank)] = False
    if head.activation == "softmax":
        said, true = (rng.integers(0, 3, (images, 1, 50)) == np.arange(3)[:, None] for _ in "st")
    else:
        said, true = (rng.random((images, 3, 50)) < 0.03 for _ in "st")
    said, true = said & counts, true & counts
    return MaskScores(
        ids=tuple(f"s{i}" for i in range(images)),
        heads=(head,),
        hits=(said & true).sum(2),
        said=said.sum(2),
        true=true.sum(2),
        pixels=counts.sum((1, 2)),
        soft_hits=(said & true).sum(2).astype(float),
        soft_said=said.sum(2).astype(float),
        log_losses=np.where(counts.any((1, 2)), rng.random(images), 0),
    )


def total_of(scores):
    return MaskTally.of(scores, np.zeros(len(scores), dtype=np.int64), 1).total


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("blank", [(), (2, 5)])
def test_numbers_are_those_of_the_metrics_of_that_name(head, blank):
    scores = scores_of(head, blank=blank)
    tally = total_of(scores)
    found = head_numbers(tally, class_numbers(tally))
    for name in (*SAME, "pixel_accuracy"):
        assert found[name] == pytest.approx(compute(scores, [name])[name]), name


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_images_of_which_no_pixel_counts_change_nothing(head):
    scores = scores_of(head, blank=(2, 5))
    tally, known = total_of(scores), total_of(scores.take([0, 1, 3, 4, 6]))
    for name, values in class_numbers(tally).items():
        np.testing.assert_allclose(values, class_numbers(known)[name], err_msg=name)


def test_presence_is_counted_in_images_that_count():
    scores = scores_of(HEADS["sigmoid"], images=40, blank=(3,))
    rest = np.flatnonzero(scores.pixels > 0)
    there, said = scores.true[rest] > 0, scores.said[rest] > 0
    found = class_numbers(total_of(scores))
    expected = (there & said).sum(0) / there.sum(0)
    np.testing.assert_allclose(found["image_sensitivity"], expected)
    expected = (~there & ~said).sum(0) / (~there).sum(0)
    np.testing.assert_allclose(found["image_specificity"], expected)


def test_a_class_that_a_resample_lacks_counts_as_it_does_in_all_images():
    scores = scores_of(HEADS["softmax"])
    whole = class_numbers(total_of(scores))
    hits, said, true = (getattr(scores, name).copy() for name in ("hits", "said", "true"))
    for counts in (hits, said, true):
        counts[:3, 2] = 0
    lacking = MaskScores(
        **{**vars(scores), "hits": hits, "said": said, "true": true},
    ).take([0, 1, 2])
    tally = total_of(lacking)
    own = class_numbers(tally)
    assert np.isnan(own["iou"][2])
    plain, filled = head_numbers(tally, own), head_numbers(tally, own, whole)
    assert plain["iou"] == pytest.approx(own["iou"][:2].mean())
    assert filled["iou"] == pytest.approx((own["iou"][:2].sum() + whole["iou"][2]) / 3)
    assert filled["foreground_iou"] == pytest.approx((own["iou"][1] + whole["iou"][2]) / 2)
