import numpy as np
import pytest
from drawn_predictions import multi_label, single_label
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fivefold.evaluation.class_ranking import Runs, falling, rank_classes
from fivefold.evaluation.counting import counted


def runs_of(scores, positive):
    order = falling(scores)
    return Runs.of(scores[order], positive[order])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.sampled_from([0, 1, 2, 8]))
def test_area_and_average_precision_are_scikit_learns_whatever_ties(seed, count, digits):
    rng = np.random.default_rng(seed)
    scores = rng.random(count).round(digits).astype(np.float32)
    positive = rng.random(count) < 0.4
    positive[:2] = True, False
    found = runs_of(scores, positive)
    assert found.roc_auc == pytest.approx(reference.roc_auc_score(positive, scores), abs=1e-12)
    expected = reference.average_precision_score(positive, scores)
    assert found.average_precision == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("positive", [[True] * 4, [False] * 4])
def test_a_class_true_of_all_or_none_is_undefined(positive):
    found = runs_of(np.arange(4, dtype=np.float32), np.array(positive))
    assert np.isnan([found.roc_auc, found.average_precision]).all()


def test_scores_fall_and_equal_ones_keep_their_order():
    scores = np.array([0.5, -0.0, 1.0, 0.0, -2.5, 0.5, np.float32(1e-38)], dtype=np.float32)
    expected = np.argsort(-scores, kind="stable")
    assert falling(scores).tolist() == expected.tolist()
    assert falling(scores.astype(np.float64)).tolist() == expected.tolist()


@pytest.mark.parametrize("digits", [1, 8])
def test_pulls_are_the_derivatives_by_each_samples_weight(digits):
    found = multi_label(3, samples=30, classes=1, digits=digits)
    counts = counted(found)
    (ranked,) = rank_classes(counts, np.arange(30), 30, None, 0)
    truth, scores, step = found.truth[:, 0], found.probs[:, 0], 1e-6
    for i in range(30):
        for number, measure in enumerate(
            (reference.roc_auc_score, reference.average_precision_score)
        ):
            weights = np.ones(30)
            weights[i] += step
            above = measure(truth, scores, sample_weight=weights)
            weights[i] -= 2 * step
            below = measure(truth, scores, sample_weight=weights)
            slope = (above - below) / (2 * step)
            assert ranked.pulls[number, i] == pytest.approx(slope, abs=1e-7)


def test_pulls_of_units_are_sums_over_their_samples():
    counts = counted(single_label(1, samples=40, classes=3))
    alone = rank_classes(counts, np.arange(40), 40, None, 0)
    together = rank_classes(counts, np.arange(40) // 4, 10, None, 0)
    for one, other in zip(alone, together, strict=True):
        expected = one.pulls.reshape(2, 10, 4).sum(axis=2)
        np.testing.assert_allclose(other.pulls, expected, atol=1e-15)
        np.testing.assert_allclose(one.pulls.sum(axis=1), 0, atol=1e-12)


def test_many_classes_come_in_the_order_of_the_columns():
    found = single_label(2, samples=60, classes=37)
    ranked = rank_classes(counted(found), np.arange(60), 60, None, 0)
    for i, one in enumerate(ranked):
        if found.truth[:, i].sum() > 0:
            expected = reference.roc_auc_score(found.truth[:, i], found.probs[:, i])
            assert one.roc_auc == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(one.roc_auc)
            assert one.roc is None
