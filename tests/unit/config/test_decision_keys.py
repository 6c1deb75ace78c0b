import re

import pytest

from fivefold.config import json_schema, parse
from fivefold.core.errors import ConfigError


@pytest.mark.parametrize(
    "value",
    [
        *("0.3", "f1", "f0.5", "exact_match", "{precision: 0.95}"),
        *("{recall: 0.9, per_class: false}", "{exact_match: [0.1, 0.9, 0.1]}"),
    ],
)
def test_thresholds_are_kept_as_they_are_written(value):
    config = parse(f"thresholds: {value}")
    assert config.as_mapping() == {"thresholds": config.thresholds}


def test_keys_without_a_value_mean_their_defaults():
    config = parse("thresholds:\ncalibration:\ncoverage:\n")
    assert (config.thresholds, config.calibration, config.coverage) == (0.5, "none", 0.9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds: 1.5", "thresholds: expected a number from 0 to below 1, 'f1'"),
        ("thresholds: {precision: 2}", "thresholds: expected a precision above 0, up to 1, got"),
        ("thresholds: best", "got 'best'"),
        ("calibration: platt", "calibration: expected 'none' or 'temperature', got 'platt'"),
        ("coverage: 1", "coverage: expected less than 1, got 1"),
        ("coverage: 0", "coverage: expected greater than 0, got 0"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(text, message):
    with pytest.raises(ConfigError, match=rf"^config\.yaml:1:.*{re.escape(message)}"):
        parse(text, "config.yaml")


def test_editors_know_the_ways_to_write_thresholds():
    schema = json_schema()["properties"]["thresholds"]
    assert [option["type"] for option in schema["anyOf"]] == ["number", "string", "object"]
    assert "per_class" in schema["anyOf"][2]["properties"]
