import re

import pytest

from fivefold.config import json_schema, parse
from fivefold.core.errors import ConfigError


@pytest.mark.parametrize(
    "value",
    [
        *("0.3", "f1", "f0.5", "exact_match", "{precision: 0.95}"),
        *("{recall: 0.9, per_class: false}", "{exact_match: [0.1, 0.9, 0.1]}"),
        *("dice", "iou", "image_dice", "image_iou"),
    ],
)
def test_thresholds_are_kept_as_they_are_written(value):
    config = parse(f"thresholds: {value}")
    assert config.as_mapping() == {"thresholds": config.thresholds}


def test_keys_without_a_value_mean_their_defaults():
    config = parse("thresholds:\ncalibration:\ncoverage:\nsmallest_area:\n")
    assert (config.thresholds, config.calibration, config.coverage) == (0.5, "none", 0.9)
    assert config.smallest_area == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds: 1.5", "thresholds: expected a number from 0 to below 1, 'f1'"),
        ("thresholds: {precision: 2}", "thresholds: expected a precision above 0, up to 1, got"),
        ("thresholds: best", "got 'best'"),
        ("calibration: platt", "calibration: expected 'none' or 'temperature', got 'platt'"),
        ("coverage: 1", "coverage: expected less than 1, got 1"),
        ("coverage: 0", "coverage: expected greater than 0, got 0"),
        ("smallest_area: -1", "smallest_area: expected 'auto' or a whole number of pixels of at"),
        ("smallest_area: some", "least 0, got 'some'"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(text, message):
    with pytest.raises(ConfigError, match=rf"^config\.yaml:1:.*{re.escape(message)}"):
        parse(text, "config.yaml")


def test_editors_know_the_ways_to_write_thresholds():
    schema = json_schema()["properties"]["thresholds"]
    assert [option["type"] for option in schema["anyOf"]] == ["number", "string", "object"]
    assert "per_class" in schema["anyOf"][2]["properties"]


@pytest.mark.parametrize("value", ["auto", 30, 0])
def test_a_smallest_area_is_a_number_or_chosen(value):
    assert parse(f"architecture: Unet\nsmallest_area: {value}").smallest_area == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("calibration: temperature", "calibration: expected 'none', since 'Unet' makes masks, got"),
        ("coverage: 0.9", "coverage: expected nothing, since 'Unet' makes masks, got 0.9"),
        ("thresholds: exact_match", "thresholds: expected another aim, since 'Unet' makes masks"),
        ("smallest_area: 2000\nshape: [32, 32, 3]", "expected at most the 1,024 pixels of `shape`"),
    ],
)
def test_what_is_of_whole_images_is_refused_where_masks_are_made(text, message):
    with pytest.raises(ConfigError, match=rf"^config\.yaml:2:.*{re.escape(message)}"):
        parse(f"architecture: Unet\n{text}", "config.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds: image_dice", "expected another aim, since 'ResNet18' makes no masks, got"),
        ("smallest_area: auto", "smallest_area: expected 0, since 'ResNet18' makes no masks, got"),
        (
            "keep_maps: false",
            "keep_maps: expected true, since 'ResNet18' makes no masks, got false",
        ),
    ],
)
def test_what_is_of_masks_is_refused_where_none_are_made(text, message):
    with pytest.raises(ConfigError, match=rf"^config\.yaml:2:.*{re.escape(message)}"):
        parse(f"architecture: ResNet18\n{text}", "config.yaml")


@pytest.mark.parametrize("wanted", ["thresholds: dice", "smallest_area: auto"])
def test_what_is_chosen_on_maps_needs_them_to_be_kept(wanted):
    message = re.escape(f"keep_maps: expected true, since `{wanted}` is chosen on the maps that")
    with pytest.raises(ConfigError, match=rf"^config\.yaml:2:.*{message}"):
        parse(f"architecture: Unet\nkeep_maps: false\n{wanted}", "config.yaml")


@pytest.mark.parametrize("given", ["thresholds: 0.3", "smallest_area: 20"])
def test_numbers_need_no_maps(given):
    assert not parse(f"architecture: Unet\nkeep_maps: false\n{given}").keep_maps
