import time

import numpy as np
import pytest
from drawn_predictions import multi_label, predict, single_label
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, fbeta_score, precision_score, recall_score

from fivefold.core.errors import DataError, NumericError
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.evaluation.thresholds import Chosen, answers_at, choose_thresholds, equally_good, f1


def one_class(probs, targets):
    return predict(np.asarray(probs)[:, None], np.asarray(targets)[:, None], "sigmoid")


def chosen(predictions, aim):
    return choose_thresholds(predictions, ThresholdAim.of(aim)).thresholds


def candidates(probs):
    """All thresholds that make a difference: below, between and at the probabilities."""
    values = np.unique(probs.astype(float))
    return np.unique([0.0, 0.5, 1.0, *values, *(values[1:] + values[:-1]) / 2])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("beta", [0.5, 1, 2])
def test_no_other_threshold_has_a_higher_f(seed, beta):
    found = multi_label(seed, digits=1)
    thresholds = chosen(found, f"f{beta}")
    for k, threshold in enumerate(thresholds):
        probs, truth = found.probs[:, k], found.truth[:, k]

        def score(t, probs=probs, truth=truth):
            return fbeta_score(truth, probs > t, beta=beta, zero_division=0)

        best = max(score(t) for t in candidates(probs))
        assert score(threshold) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("least", [0.4, 0.6, 0.9])
def test_no_other_threshold_of_that_precision_has_a_higher_recall(seed, least):
    found = multi_label(seed, digits=1)
    for k, threshold in enumerate(chosen(found, {"precision": least})):
        probs, truth = found.probs[:, k], found.truth[:, k]
        able = [
            t
            for t in candidates(probs)
            if (probs > t).any() and precision_score(truth, probs > t) >= least
        ]
        if not able:
            assert threshold == 1
            continue
        best = max(recall_score(truth, probs > t) for t in able)
        assert precision_score(truth, probs > threshold) >= least
        assert recall_score(truth, probs > threshold) == best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("least", [0.5, 0.9, 1.0])
def test_no_other_threshold_of_that_recall_has_a_higher_precision(seed, least):
    found = multi_label(seed)
    for k, threshold in enumerate(chosen(found, {"recall": least})):
        probs, truth = found.probs[:, k], found.truth[:, k]
        able = [t for t in candidates(probs) if recall_score(truth, probs > t) >= least]
        best = max(precision_score(truth, probs > t) for t in able)
        assert recall_score(truth, probs > threshold) >= least
        assert precision_score(truth, probs > threshold) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(2))
def test_one_threshold_for_all_classes_has_the_highest_micro_f(seed):
    found = multi_label(seed)
    (threshold,) = set(chosen(found, {"f_beta": 1, "per_class": False}))

    def score(t):
        return fbeta_score(found.truth, found.probs > t, beta=1, average="micro", zero_division=0)

    assert score(threshold) == max(map(score, candidates(found.probs)))


@pytest.mark.parametrize("seed", range(10))
def test_exact_match_is_the_best_of_its_range_and_the_nearest_to_one_half(seed):
    found = multi_label(seed, samples=15, digits=2)
    (threshold,) = set(chosen(found, {"exact_match": [0.1, 0.9, 0.05]}))
    grid = [round(0.1 + k * 0.05, 10) for k in range(17)]
    scores = [accuracy_score(found.truth, found.probs > t) for t in grid]
    best = [t for t, score in zip(grid, scores, strict=True) if score == max(scores)]
    assert threshold == min(best, key=lambda t: (abs(t - 0.5), -t))


def test_the_range_of_exact_match_holds_both_ends():
    high = predict([[0.995, 0.985], [0.985, 0.995]], np.eye(2), "sigmoid")
    assert chosen(high, "exact_match") == (0.99, 0.99)
    low = predict([[0.015, 0.005], [0.005, 0.015]], np.eye(2), "sigmoid")
    assert chosen(low, "exact_match") == (0.01, 0.01)


def test_a_very_fine_range_costs_little():
    found = multi_label(0, samples=100_000)
    start = time.process_time()
    (threshold,) = set(chosen(found, {"exact_match": [0, 0.99999, 0.00001]}))
    assert time.process_time() - start < 10  # one by one it takes minutes
    assert 0 <= threshold < 1


def test_of_equally_good_thresholds_one_half_is_taken():
    assert chosen(one_class([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0]), "f1") == (0.5,)


def test_beside_one_half_the_middle_is_taken():
    found = one_class([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0])
    assert chosen(found, "f1") == pytest.approx((0.75,))


def test_of_two_ways_the_one_nearer_to_one_half_is_taken():
    # F1 is 2/3 for one answer and for four
    found = one_class([0.9, 0.4, 0.3, 0.2, 0.1], [1, 0, 0, 1, 0])
    assert chosen(found, "f1") == (0.5,)


def test_equal_probabilities_are_never_separated():
    assert chosen(one_class([0.25, 0.25, 0.125], [1, 0, 0]), "f1") == (0.1875,)
    assert chosen(one_class([0.25, 0.25], [1, 0]), "f1") == (0.125,)


def test_neighbours_in_float32_are_separated():
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    found = one_class(np.array([high, low]), [1, 0])
    thresholds = chosen(found, "f1")
    assert answers_at(found.probs, thresholds).tolist() == [[True], [False]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20),
    st.floats(0, 1, allow_subnormal=False),
)
def test_answers_are_those_of_exact_comparison(probs, threshold):
    array = np.array(probs, np.float32)[:, None]
    exact = [[float(p) > threshold] for p in array[:, 0]]
    assert answers_at(array, (threshold,)).tolist() == exact


def test_probabilities_of_0_and_1_can_be_told_apart():
    assert chosen(one_class([1.0, 1.0, 0.0], [1, 1, 0]), "f1") == (0.5,)
    assert chosen(one_class([0.0, 0.0], [1, 0]), "f1") == (1.0,)


def test_a_class_without_a_true_sample_keeps_one_half_and_is_told():
    found = predict([[0.9, 0.2], [0.1, 0.3]], [[1, 0], [0, 0]], "sigmoid")
    for aim in ("f1", {"recall": 0.9}):
        got = choose_thresholds(found, ThresholdAim.of(aim))
        assert got.thresholds == (0.5, 0.5)
        assert got.remarks == ("'c1': true of no sample: the threshold stays 0.5",)


def test_a_precision_out_of_reach_is_told_and_never_answered():
    found = one_class([0.9, 0.8, 0.7], [0, 1, 0])
    got = choose_thresholds(found, ThresholdAim.of({"precision": 0.75}))
    assert got.thresholds == (1.0,)
    assert got.remarks == (
        "'c0': no threshold has a precision of 0.75, it is at most 0.5: never answered",
    )
    assert not answers_at(np.array([[1.00001]], np.float32), got.thresholds).any()


def test_a_class_that_is_never_true_is_never_answered_if_answers_have_to_be_right():
    got = choose_thresholds(one_class([0.9, 0.8], [0, 0]), ThresholdAim.of({"precision": 0.5}))
    expected = "'c0': true of no sample, and so without a precision of 0.5: never answered"
    assert got == Chosen((1.0,), (expected,))
    got = choose_thresholds(one_class([0.9, 0.0], [0, 1]), ThresholdAim.of({"precision": 0.5}))
    assert "it is at most 0: never answered" in got.remarks[0]


def test_a_recall_out_of_reach_is_told_and_answered_wherever_possible():
    got = choose_thresholds(
        one_class([0.9, 0.0, 0.7], [1, 1, 0]), ThresholdAim.of({"recall": 0.75})
    )
    assert got.thresholds == (0.0,)
    assert got.remarks[0].startswith("'c0': no threshold has a recall of 0.75, it is at most 0.5")


def test_a_number_is_taken_as_it_is():
    assert chosen(multi_label(0), 0.3) == (0.3, 0.3, 0.3)


def test_a_softmax_head_needs_none_and_says_so_only_when_some_are_asked_for():
    assert choose_thresholds(single_label(0), ThresholdAim()).remarks == ()
    got = choose_thresholds(single_label(0), ThresholdAim.of("f1"))
    assert got.thresholds == ()
    assert got.remarks[0].startswith("its most probable class is the answer, which needs none")


@pytest.mark.parametrize("aim", ["f1", {"precision": 0.9}, "exact_match"])
def test_all_probabilities_equal_is_no_crash(aim):
    found = predict([[0.5, 0.5]] * 4, [[1, 0], [1, 0], [0, 0], [1, 0]], "sigmoid")
    assert len(chosen(found, aim)) == 2


def test_nan_is_named():
    with pytest.raises(NumericError, match="s1: expected finite probabilities"):
        choose_thresholds(one_class([0.5, np.nan], [1, 0]), ThresholdAim.of("f1"))


def test_nothing_can_be_chosen_on_nothing():
    with pytest.raises(DataError, match="at least 1 sample, got 0"):
        choose_thresholds(predict(np.zeros((0, 1)), np.zeros((0, 1)), "sigmoid"), ThresholdAim())


def test_f1_of_answers_is_scikit_learns():
    found = multi_label(0)
    truth, answers = found.truth[:, 0] > 0.5, found.probs[:, 0] > 0.3
    assert f1(truth, answers) == pytest.approx(fbeta_score(truth, answers, beta=1))
    assert f1(truth & False, answers & False) == 0


def test_all_best_candidates_are_found_and_nan_is_never_best():
    nan = float("nan")
    assert equally_good("abcd", [nan, 1.0, 2.0, 2.0]) == ["c", "d"]
    assert equally_good("abc", [3.0, 1.0, 1.0], "min") == ["b", "c"]
    assert equally_good("ab", [nan, nan]) == ["a", "b"]
