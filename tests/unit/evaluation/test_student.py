import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fivefold.evaluation.student import quantile, within


@given(st.floats(-1e3, 1e3), st.integers(1, 300))
def test_probabilities_are_those_of_scipy(t, degrees):
    # SciPy's own numbers lose digits close to 0
    assert within(t, degrees) == pytest.approx(1 - 2 * stats.t.sf(abs(t), degrees), abs=1e-7)


@given(st.floats(0.01, 0.999), st.integers(1, 300))
def test_quantiles_are_those_of_scipy(share, degrees):
    assert quantile(share, degrees) == pytest.approx(
        stats.t.ppf((1 + share) / 2, degrees), rel=1e-9
    )


def test_all_lies_within_infinity():
    assert within(math.inf, 3) == within(-math.inf, 4) == 1
