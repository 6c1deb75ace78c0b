import math

import pytest

from fivefold.core.digits import few_digits, mean_and_spread


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.91234, "0.9123"),
        (-99_999.5, "-99999.5000"),
        (100_000.0, "1.000e+05"),
        (-1.23456e24, "-1.235e+24"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_a_number_has_few_digits_however_large(value, text):
    assert few_digits(value) == text


def test_a_mean_stands_beside_its_spread():
    assert mean_and_spread(0.5, 2e30) == "0.5000 ± 2.000e+30"
