import numpy as np
import pytest
from pixels import change_with, rough_picture, smooth_picture

from fivefold.augment import build_augmentation
from fivefold.core.errors import ConfigError

IMAGE = rough_picture()


@pytest.mark.parametrize("channels", [1, [1], [0, 2], None])
def test_only_the_named_channels_change(channels):
    options = {"channels": channels, "children": {"Invert": 1.0}}
    changed = change_with("WithChannels", options)(IMAGE)
    named = range(3) if channels is None else np.atleast_1d(channels)
    for i in range(3):
        expected = 255 - IMAGE[..., i] if i in named else IMAGE[..., i]
        np.testing.assert_array_equal(changed[..., i], expected)


def test_children_see_the_other_colour_space():
    options = {
        "to_colorspace": "BGR",
        "children": [{"WithChannels": {"channels": 0, "children": {"Invert": 1.0}}}],
    }
    changed = change_with("WithColorspace", options)(IMAGE)
    np.testing.assert_array_equal(changed[..., :2], IMAGE[..., :2])
    np.testing.assert_array_equal(changed[..., 2], 255 - IMAGE[..., 2])


def test_geometry_inside_moves_all_channels_and_the_mask():
    five = rough_picture(channels=5)
    mask = five[..., 0] % 4
    items = [("WithColorspace", {"to_colorspace": "BGR", "children": {"Fliplr": 1.0}})]
    built = build_augmentation(items, lambda *path: "")
    changed, moved = built(five, np.random.default_rng(0), mask)
    np.testing.assert_array_equal(changed, five[:, ::-1])
    np.testing.assert_array_equal(moved, mask[:, ::-1])


def test_hue_and_saturation_are_two_channels():
    image = smooth_picture()
    grey = {"WithChannels": {"channels": 1, "children": {"Multiply": 0.0}}}
    changed = change_with("WithHueAndSaturation", {"children": [grey]})(image)
    assert np.ptp(changed, axis=2).max() <= 1
    np.testing.assert_allclose(changed[..., 0], image.max(axis=2), atol=1)
    np.testing.assert_array_equal(change_with("WithHueAndSaturation", {"Add": 0})(image), image)


@pytest.mark.parametrize("channels", ["red", [], -1, [0, 1.5], True])
def test_channels_are_numbers(channels):
    with pytest.raises(ConfigError, match="a channel's number from 0, a list of them, or nothing"):
        change_with("WithChannels", {"channels": channels, "children": {"Add": 1}})
