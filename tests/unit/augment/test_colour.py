import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixels import change_with, rough_picture, smooth_picture

from fivefold.core.errors import ConfigError

IMAGE = smooth_picture()


def hsv_of(image):
    return np.array([colorsys.rgb_to_hsv(*pixel) for pixel in image.reshape(-1, 3) / 255.0])


def rgb_of(hsv):
    return 255 * np.array([colorsys.hsv_to_rgb(*pixel) for pixel in hsv])


def small_picture():
    return rough_picture(6, 7)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_grayscale_blends_with_brightness(alpha):
    brightness = IMAGE @ np.array([0.299, 0.587, 0.114])
    expected = (1 - alpha) * IMAGE + alpha * brightness[..., None]
    np.testing.assert_allclose(change_with("Grayscale", alpha)(IMAGE), expected, atol=1.01)


@given(value=st.integers(-255, 255))
def test_a_hue_is_turned_on_a_circle_of_256_steps(value):
    image = small_picture()
    hsv = hsv_of(image)
    hsv[:, 0] = (hsv[:, 0] + value / 256) % 1
    changed = change_with("AddToHue", value)(image).reshape(-1, 3)
    np.testing.assert_allclose(changed, rgb_of(hsv), atol=0.6)


@given(factor=st.floats(0, 3))
def test_saturation_is_multiplied_and_ends_at_full(factor):
    image = small_picture()
    hsv = hsv_of(image)
    hsv[:, 1] = np.clip(hsv[:, 1] * factor, 0, 1)
    changed = change_with("MultiplySaturation", factor)(image).reshape(-1, 3)
    np.testing.assert_allclose(changed, rgb_of(hsv), atol=0.6)


def test_hue_and_saturation_are_added_or_multiplied_alone_or_together():
    image = small_picture()
    hsv = hsv_of(image)
    turned = rgb_of(np.stack([(hsv[:, 0] + 20 / 256) % 1, hsv[:, 1], hsv[:, 2]], axis=1))
    changed = change_with("AddToHueAndSaturation", {"value_hue": 20})(image).reshape(-1, 3)
    np.testing.assert_allclose(changed, turned, atol=0.6)
    pale = rgb_of(np.stack([hsv[:, 0], hsv[:, 1] * 0.5, hsv[:, 2]], axis=1))
    halved = change_with("MultiplyHueAndSaturation", {"mul_saturation": 0.5})(image).reshape(-1, 3)
    np.testing.assert_allclose(halved, pale, atol=0.6)
    both = np.stack([hsv[:, 0] * 0.5, hsv[:, 1] * 0.5, hsv[:, 2]], axis=1)
    np.testing.assert_allclose(
        change_with("MultiplyHueAndSaturation", 0.5)(image).reshape(-1, 3), rgb_of(both), atol=0.6
    )


@given(factor=st.floats(-1, 1))
def test_a_hue_is_multiplied_as_an_angle_from_red(factor):
    image = small_picture()
    hsv = hsv_of(image)
    hsv[:, 0] = (hsv[:, 0] * factor) % 1
    changed = change_with("MultiplyHue", factor)(image).reshape(-1, 3)
    np.testing.assert_allclose(changed, rgb_of(hsv), atol=0.6)


def test_nothing_to_add_changes_nothing():
    image = rough_picture()
    for name in ("AddToHue", "AddToSaturation", "AddToHueAndSaturation"):
        np.testing.assert_array_equal(change_with(name, 0)(image), image)


def test_a_colour_space_is_written_as_opencv_does_and_back():
    there = change_with("ChangeColorspace", "YCrCb")(IMAGE)
    brightness = IMAGE @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(there[..., 0], brightness, atol=1)
    back = change_with("ChangeColorspace", {"to_colorspace": "RGB", "from_colorspace": "YCrCb"})
    np.testing.assert_allclose(back(there), IMAGE, atol=2)
    np.testing.assert_array_equal(change_with("InColorspace", "BGR")(IMAGE), IMAGE[..., ::-1])


def test_channels_are_shuffled_among_those_named():
    seen = {tuple(change_with("ChannelShuffle", {}, s)(IMAGE)[0, 0]) for s in range(60)}
    assert len(seen) == 6
    two = [change_with("ChannelShuffle", {"channels": [0, 2]}, s)(IMAGE) for s in range(20)]
    assert all((image[..., 1] == IMAGE[..., 1]).all() for image in two)
    assert any((image[..., 0] == IMAGE[..., 2]).all() for image in two)
    np.testing.assert_array_equal(change_with("ChannelShuffle", 0)(IMAGE), IMAGE)


@pytest.mark.parametrize("name", ["AddToHueAndSaturation", "MultiplyHueAndSaturation"])
@pytest.mark.parametrize("options", [{}, "both"])
def test_one_number_for_both_or_one_for_each(name, options):
    word = "value" if name.startswith("Add") else "mul"
    given_options = {word: 1, f"{word}_hue": 1} if options else {}
    with pytest.raises(ConfigError, match=f"expected either {word}, or {word}_hue and"):
        change_with(name, given_options)
