"""One number becomes an estimate."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from fivefold.evaluation.estimates import Estimate
from fivefold.evaluation.estimating import estimated
from fivefold.evaluation.undefined import ALL_ALIKE, TOO_RARE

DRAWN = np.random.default_rng(0).normal(0.5, 0.1, 1000)


def same(found: Estimate, expected: Estimate):
    assert found.why == expected.why
    for name in ("value", "low", "high", "std_over_folds"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), nan_ok=True)


def test_resamples_give_the_interval_and_folds_the_spread():
    found = estimated(0.5, np.array([0.4, 0.6]), DRAWN, "")
    same(found, Estimate(0.5, *np.quantile(DRAWN, [0.025, 0.975]), 0.1))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_number_itself_always_lies_in_its_interval(value):
    found = estimated(value, None, DRAWN, "")
    assert found.low <= value <= found.high


@pytest.mark.parametrize("value", [0, 1])
def test_a_share_of_which_all_are_alike_has_that_of_clopper_and_pearson(value):
    expected = binomtest(12 * value, 12).proportion_ci(0.95, method="exact")
    same(estimated(value, None, np.full(9, value), "", 12), Estimate(value, *expected))


def test_what_has_no_interval_says_why():
    same(estimated(0.3, None, np.full(9, 0.3), "few"), Estimate(0.3, why=f"few; {ALL_ALIKE}"))
    same(estimated(0.3, None, np.full(9, math.nan), ""), Estimate(0.3, why=TOO_RARE))
    same(estimated(math.nan, None, DRAWN, "none"), Estimate(math.nan, why="none"))
    same(estimated(0.3, None, None, ""), Estimate(0.3))
