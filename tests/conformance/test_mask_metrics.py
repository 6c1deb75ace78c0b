"""What every metric of masks promises, whoever wrote it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.core.mask_scores import MaskScores, join_scores
from fivefold.core.types import Head
from fivefold.evaluation import is_better, mask_metrics

HEADS = {
    "sigmoid": Head("", "sigmoid", ("cat", "dog", "sky")),
    "softmax": Head("", "softmax", ("background", "cat", "dog")),
}
SMOOTHED = {"iou_loss": -1.0}  # right masks come near it, the nearer the more they show
BELOW_ZERO = {"matthews_correlation", "matthews_corrcoef", "cohen_kappa", "iou_loss"}


@pytest.fixture(params=mask_metrics.names())
def metric(request):
    return mask_metrics.get(request.param)


@pytest.fixture(params=sorted(HEADS))
def head(request, metric):
    wanted = metric.facts.get("exclusive")
    if wanted is not None and wanted is not (request.param == "softmax"):
        pytest.skip("it is for the other kind of classes")
    return HEADS[request.param]


def draw(head, rng, images=6, cells=40):
    """Draw masks of images, each a row of pixels: bool [N, K, cells], and which pixels count."""
    counts = rng.random((images, cells)) < 0.9
    if head.activation == "softmax":
        said, true = (
            rng.integers(0, 3, (images, 1, cells)) == np.arange(3)[:, None] for _ in range(2)
        )
    else:
        said, true = (rng.random((images, 3, cells)) < 0.4 for _ in range(2))
    return said & counts[:, None], true & counts[:, None], counts.sum(1)


def scores_of(head, said, true, pixels):
    ids = tuple(f"s{i:03}" for i in range(len(said)))
    wrong = (said != true).sum((1, 2)) / np.maximum(pixels, 1) / 3
    return MaskScores(
        ids,
        (head,),
        hits=(said & true).sum(2),
        said=said.sum(2),
        true=true.sum(2),
        pixels=pixels,
        soft_hits=(said & true).sum(2).astype(float),
        soft_said=said.sum(2).astype(float),
        log_losses=wrong,
    )


def test_right_masks_have_the_best_value(metric, head):
    said, true, pixels = draw(head, np.random.default_rng(0))
    best = metric.make(scores_of(head, true, true, pixels))
    perfect = 1.0 if metric.facts["best"] == "max" else 0.0
    room = 0.02 if metric.name in SMOOTHED else 2e-6
    assert best == pytest.approx(SMOOTHED.get(metric.name, perfect), abs=room)
    assert is_better(best, metric.make(scores_of(head, said, true, pixels)), metric.facts["best"])


def test_the_order_of_images_does_not_matter(metric, head):
    scores = scores_of(head, *draw(head, np.random.default_rng(1)))
    turned = scores.take([3, 1, 0, 5, 4, 2])
    assert metric.make(turned) == pytest.approx(metric.make(scores), abs=1e-12)


def test_every_image_twice_is_the_same_value(metric, head):
    drawn = draw(head, np.random.default_rng(2))
    twice = scores_of(head, *(np.concatenate([array, array]) for array in drawn))
    assert metric.make(twice) == pytest.approx(metric.make(scores_of(head, *drawn)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 11), max_size=4, unique=True))
def test_parts_of_any_size_put_together_have_the_same_value(seed, cuts):
    for key, head in HEADS.items():
        scores = scores_of(head, *draw(head, np.random.default_rng(seed), images=12))
        edges = [0, *sorted(cuts), 12]
        parts = [scores.take(range(a, b)) for a, b in pairwise(edges)]
        for metric in mask_metrics.components():
            if metric.facts.get("exclusive") in (None, key == "softmax"):
                assert metric.make(join_scores(parts)) == metric.make(scores)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), images=st.integers(1, 5), cells=st.integers(1, 6))
def test_values_stay_between_none_and_all(seed, images, cells):
    for key, head in HEADS.items():
        scores = scores_of(head, *draw(head, np.random.default_rng(seed), images, cells))
        for metric in mask_metrics.components():
            if metric.facts.get("exclusive") not in (None, key == "softmax"):
                continue
            value = metric.make(scores)
            assert np.isnan(value) or value >= -1e-12 or metric.name in BELOW_ZERO
            assert metric.facts["best"] == "min" or not value > 1 + 1e-12


def test_images_of_which_nothing_counts_change_no_number(metric, head):
    drawn = draw(head, np.random.default_rng(3))
    blank = [np.concatenate([a, np.zeros_like(a[:1])]) for a in drawn]
    more = metric.make(scores_of(head, *blank))
    assert more == pytest.approx(metric.make(scores_of(head, *drawn)))
    nothing = scores_of(head, *(np.zeros_like(a[:2]) for a in drawn))
    assert np.isnan(metric.make(nothing))


def test_scores_are_not_changed(metric, head):
    scores = scores_of(head, *draw(head, np.random.default_rng(4)))
    before = {name: getattr(scores, name).copy() for name in ("hits", "said", "true", "soft_hits")}
    assert isinstance(metric.make(scores), float)
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(scores, name), values)


def test_it_says_what_it_is(metric):
    assert metric.facts["best"] in ("min", "max")
    assert metric.summary.endswith((".", "?"))
