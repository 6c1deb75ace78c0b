import numpy as np
import pytest
from sklearn import metrics as reference

from fivefold.evaluation.class_ranking import falling
from fivefold.evaluation.thinning import pr_curve, roc_curve


def drawn(count, seed=0, digits=9):
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.3
    scores = (rng.normal(0, 1, count) + positive).astype(np.float32).round(digits)
    order = falling(scores)
    scores, positive = scores[order], positive[order]
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    return positive, scores, np.cumsum(positive)[ends], ends + 1, scores[ends]


@pytest.mark.parametrize("digits", [1, 9])
def test_a_short_roc_curve_is_scikit_learns(digits):
    positive, scores, hits, ends, at = drawn(80, digits=digits)
    x, y, thresholds = roc_curve(hits, ends, at)
    fpr, tpr, theirs = reference.roc_curve(positive, scores, drop_intermediate=False)
    whole = {(a, b): t for a, b, t in zip(fpr, tpr, theirs, strict=True)}
    assert all(whole[a, b] == t for a, b, t in zip(x, y, thresholds, strict=True))
    assert reference.auc(x, y) == pytest.approx(reference.auc(fpr, tpr), abs=1e-12)


@pytest.mark.parametrize("digits", [1, 9])
def test_a_short_pr_curve_is_scikit_learns(digits):
    positive, scores, hits, ends, at = drawn(80, digits=digits)
    x, y, thresholds = pr_curve(hits, ends, at)
    precision, recall, theirs = reference.precision_recall_curve(positive, scores)
    stop = int(np.argmax(recall < 1)) - 1  # ours ends where recall is whole
    np.testing.assert_allclose(x, recall[stop:][::-1])
    np.testing.assert_allclose(y, precision[stop:][::-1])
    assert thresholds[0] == np.inf
    np.testing.assert_allclose(thresholds[1:], theirs[stop:][::-1])


def test_a_long_roc_curve_keeps_its_shape_in_few_points():
    positive, scores, hits, ends, at = drawn(200_000)
    x, y, _ = roc_curve(hits, ends, at)
    assert len(x) <= 802
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    fpr, tpr, _ = reference.roc_curve(positive, scores)
    assert np.abs(np.interp(fpr, x, y) - tpr).max() < 0.005


def test_a_long_pr_curve_keeps_its_highest_and_lowest_points():
    _, _, hits, ends, at = drawn(200_000)
    x, y, _ = pr_curve(hits, ends, at)
    assert len(x) <= 401
    recall, precision = np.append(0, hits) / hits[-1], np.append(1, hits / ends)
    for k in range(100):
        inside = (recall >= k / 100) & (recall < (k + 1) / 100)
        kept = (x >= k / 100) & (x < (k + 1) / 100)
        assert y[kept].max() == precision[inside].max()
        assert (np.diff(x) >= 0).all()
