import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fivefold.evaluation.differences import (
    holm,
    paired_numbers_over_samples,
    paired_over_folds,
    paired_over_samples,
    unpaired_over_folds,
)

NUMBERS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10)


def equicorrelated(rng, folds, repeats):
    """Draw differences of folds whose correlation is the share of the test data."""
    rho = 1 / folds
    common = rng.normal(size=(repeats, 1)) * math.sqrt(rho)
    return common + rng.normal(size=(repeats, folds)) * math.sqrt(1 - rho)


@pytest.mark.parametrize("folds", [3, 5, 10])
def test_the_interval_holds_the_truth_in_95_of_100_simulated_experiments(folds):
    found = [
        paired_over_folds(row, np.zeros(folds), folds)
        for row in equicorrelated(np.random.default_rng(folds), folds, 3000)
    ]
    share = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.935 <= share <= 0.965  # 95 % and four standard errors
    assert np.mean([one.p_value < 0.05 for one in found]) == pytest.approx(1 - share)


def test_an_ordinary_t_test_would_find_too_much_in_the_same_experiments():
    rows = equicorrelated(np.random.default_rng(5), 5, 3000)
    assert np.mean(stats.ttest_1samp(rows, 0, axis=1).pvalue < 0.05) > 0.1


def test_real_learners_that_are_equally_good_are_rarely_told_apart():
    """Ridge regressions on two columns that say the same: their true difference is 0."""
    told, repeats, folds = 0, 400, 5
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(100, 2))
        y = x.sum(axis=1) + rng.normal(size=100)
        number = rng.permutation(np.arange(100) % folds)
        errors = [[], []]
        for fold in range(folds):
            train, val = number != fold, number == fold
            for column in (0, 1):
                slope = x[train, column] @ y[train] / (x[train, column] @ x[train, column])
                errors[column].append(np.mean((y[val] - slope * x[val, column]) ** 2))
        told += paired_over_folds(*errors, folds).is_distinguishable
    assert told / repeats < 0.08


@given(NUMBERS)
def test_swapping_two_experiments_flips_the_sign(pairs):
    first, second = zip(*pairs, strict=True)
    for there, back in (
        (paired_over_folds(first, second, 10), paired_over_folds(second, first, 10)),
        (
            unpaired_over_folds(first, second, (10, 12)),
            unpaired_over_folds(second, first, (12, 10)),
        ),
    ):
        assert there.mean == -back.mean
        assert there.why == back.why
        if there.has_interval:
            assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
            assert there.p_value == pytest.approx(back.p_value)


def test_the_interval_is_that_of_the_corrected_t_test():
    first, second = [0.9, 0.8, 0.85, 0.95, 0.7], [0.85, 0.82, 0.8, 0.9, 0.6]
    found = paired_over_folds(first, second, 5)
    apart = np.subtract(first, second)
    error = math.sqrt((1 / 5 + 1 / 4) * apart.var(ddof=1))
    expected = stats.t(4, apart.mean(), error)
    assert (found.low, found.high) == pytest.approx(expected.interval(0.95))
    assert found.p_value == pytest.approx(2 * stats.t(4).sf(abs(apart.mean()) / error))


def test_without_the_correction_unpaired_folds_are_those_of_welch():
    """So many folds that what they share hardly counts."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.2, 1, 200), rng.normal(0, 2, 150)
    found = unpaired_over_folds(first, second, (10**9, 10**9))
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert found.p_value == pytest.approx(welch.pvalue, rel=1e-2)
    assert (found.low, found.high) == pytest.approx(welch.confidence_interval(), rel=1e-2)


def test_unpaired_folds_of_the_same_spread_have_wider_intervals():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=5)
    first, second = hard + rng.normal(size=5) / 10, hard + rng.normal(size=5) / 10
    pair, apart = paired_over_folds(first, second, 5), unpaired_over_folds(first, second, (5, 5))
    assert pair.mean == pytest.approx(apart.mean)
    assert apart.high - apart.low > 2 * (pair.high - pair.low)


@pytest.mark.parametrize(
    ("first", "second", "mean", "why"),
    [
        ([0.5], [0.25], 0.25, "one fold has no spread"),
        ([], [], math.nan, "no folds are measured"),
        ([0.5, math.nan], [0.5, 0.5], math.nan, "the number of a fold is NaN or infinite"),
        ([0.5, 0.5], [math.inf, 0.5], math.nan, "the number of a fold is NaN or infinite"),
        ([0.5, 0.7], [0.5, 0.7], 0, "both have the same numbers in every fold"),
        ([0.3, 0.7], [0.2, 0.6], 0.1, "all folds differ by the same"),
    ],
)
def test_what_is_undefined_is_said_with_its_reason(first, second, mean, why):
    found = paired_over_folds(first, second, 5)
    assert found.mean == pytest.approx(mean, nan_ok=True)
    assert found.why.startswith(why)
    assert not found.has_interval
    assert not found.is_distinguishable
    assert math.isnan(found.p_value)


def test_unpaired_folds_need_two_of_each_and_a_spread():
    assert unpaired_over_folds([1.0], [1.0, 2.0], (5, 5)).why == "one fold has no spread"
    assert unpaired_over_folds([1.0, 1.0], [2.0, 2.0], (5, 5)).why.startswith("all folds are alike")
    assert unpaired_over_folds([1.0, math.nan], [2.0, 2.0], (5, 5)).why.startswith("the number of")


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_p_value_over_samples_is_that_of_the_exact_sign_test(one, other):
    first = np.repeat([True, False, True], [one, other, 50])
    second = np.repeat([False, True, True], [one, other, 50])
    found = paired_over_samples(first, second)
    expected = stats.binomtest(one, one + other).pvalue if one + other else 1.0
    assert found.p_value == pytest.approx(expected, rel=1e-6, abs=1e-300)
    assert found.mean == pytest.approx(first.mean() - second.mean())


def test_drawing_samples_in_pairs_gives_the_interval_over_samples():
    rng = np.random.default_rng(3)
    first, second = rng.random(500) < 0.8, rng.random(500) < 0.7
    found = paired_over_samples(first, second)
    apart = first.astype(float) - second
    slow = [apart[rng.integers(0, 500, 500)].mean() for _ in range(10_000)]
    assert (found.low, found.high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=4e-3)
    assert paired_over_samples(first, second) == found


@pytest.mark.parametrize("count", [1, 5, 6, 40])
def test_one_model_that_alone_is_right_about_all_is_judged_by_how_many_there_are(count):
    right, wrong = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    found = paired_over_samples(right, wrong)
    least = stats.binomtest(count, count).proportion_ci(0.95, "exact").low
    assert (found.mean, found.high) == (1, 1)
    assert found.low == pytest.approx(2 * least - 1)
    assert found.is_distinguishable == (found.p_value < 0.05)
    other = paired_over_samples(wrong, right)
    assert (other.mean, other.low, other.high) == (-1, -1, -found.low)


def test_samples_that_both_are_right_about_have_no_interval():
    right = np.array([True, False])
    found = paired_over_samples(right, right)
    assert (found.mean, found.p_value) == (0, 1)
    assert found.why == "both are right about the same samples"
    assert not found.has_interval


def test_no_samples_have_no_difference():
    nothing = np.zeros(0, dtype=bool)
    assert paired_over_samples(nothing, nothing).why == "there are no samples"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_reject_what_going_down_step_by_step_does(p_values):
    adjusted = holm(p_values)
    order = np.argsort(p_values, kind="stable")
    is_rejected, goes_on = [False] * len(p_values), True
    for rank, i in enumerate(order):
        goes_on = goes_on and p_values[i] * (len(p_values) - rank) < 0.05
        is_rejected[i] = goes_on
    assert [p < 0.05 for p in adjusted] == is_rejected
    assert all(new >= old for new, old in zip(adjusted, p_values, strict=True))


def test_what_has_no_p_value_counts_for_no_comparison():
    adjusted = holm([0.02, math.nan, 0.03])
    assert adjusted[0] == pytest.approx(0.04)
    assert adjusted[2] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])


def test_numbers_of_samples_are_compared_by_the_paired_t_test():
    rng = np.random.default_rng(3)
    first = rng.random(40)
    second = first - rng.normal(0.02, 0.1, 40)
    found = paired_numbers_over_samples(first, second)
    expected = stats.ttest_rel(first, second)
    assert found.p_value == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert [found.low, found.high] == pytest.approx([interval.low, interval.high])


def test_numbers_that_tell_nothing_have_no_interval():
    same = np.array([0.1, 0.5, 0.9])
    assert paired_numbers_over_samples(same, same).why == "all samples differ by the same"
    assert paired_numbers_over_samples(same[:1], same[1:2]).why == "one sample has no spread"
    assert paired_numbers_over_samples(same[:0], same[:0]).why == "there are no samples"
