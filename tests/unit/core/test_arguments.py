import math
from pathlib import Path

import numpy as np
import pytest

from fivefold.core.arguments import as_number, as_path, as_whole, is_number
from fivefold.core.errors import ConfigError


@pytest.mark.parametrize("value", ["a/b", Path("a/b")])
def test_a_path_is_text_or_a_path(value):
    assert as_path("path", value) == Path("a/b")


@pytest.mark.parametrize(
    ("take", "name", "value", "message"),
    [
        (as_path, "path", None, "^path: expected a path, got None$"),
        (as_path, "path", "", "^path: expected a path, got ''$"),
        (as_path, "path", 5, "^path: expected a path, got 5$"),
        (as_path, "path", ["a"], r"^path: expected a path, got \['a'\]$"),
        (as_whole, "stage", "a", "^stage: expected a whole number, got 'a'$"),
        (as_whole, "stage", 1.0, "^stage: expected a whole number, got 1.0$"),
        (as_whole, "stage", True, "^stage: expected a whole number, got True$"),
        (as_number, "w", "a", "^w: expected a number, got 'a'$"),
        (as_number, "w", math.nan, "^w: expected a number, got nan$"),
        (as_number, "w", False, "^w: expected a number, got False$"),
    ],
)
def test_what_is_of_the_wrong_kind_is_told_by_its_name(take, name, value, message):
    with pytest.raises(ConfigError, match=message) as error:
        take(name, value)
    assert error.value.slug == "config/bad-value"


def test_numpys_numbers_are_numbers():
    assert as_whole("stage", np.int64(2)) == 2
    assert as_number("w", np.float32(0.5)) == 0.5


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), (-0.5, True), (10**400, False), (math.inf, False), ("1", False), (None, False)],
)
def test_a_number_is_finite(value, expected):
    assert is_number(value) is expected
