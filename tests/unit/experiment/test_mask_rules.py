"""What makes masks of maps, as a user says it."""

import pytest

from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.experiment.mask_rules import USUAL_RULE, given_rule

HEAD = Head("", "sigmoid", ("ship",))


@pytest.mark.parametrize(
    ("threshold", "text"),
    [
        ("a", "threshold: expected a number, got 'a'"),
        (float("nan"), "threshold: expected a number, got nan"),
        (1.5, "threshold: expected from 0 to 1, got 1.5"),
    ],
)
def test_a_threshold_is_a_number(threshold, text):
    with pytest.raises(ConfigError, match=text):
        given_rule(USUAL_RULE, HEAD, threshold, None)


def test_areas_are_told_as_whole_numbers():
    told = given_rule(USUAL_RULE, HEAD, 0.25, 12_345_678).told(HEAD)
    assert told == "what is more probable than 0.25; no parts of fewer pixels than 12,345,678"
