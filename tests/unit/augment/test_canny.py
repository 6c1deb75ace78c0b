import cv2
import numpy as np
import pytest
from pixels import change_with

from fivefold.core.errors import ConfigError

SQUARE = np.full((40, 40, 3), 30, np.uint8)
SQUARE[12:28, 12:28] = 220
FIXED = {"alpha": 1.0, "hysteresis_thresholds": [100, 200], "sobel_kernel_size": 3}


def colours(image):
    return np.unique(image.reshape(-1, image.shape[2]), axis=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_edges_and_the_rest_have_two_colours(channels):
    image = np.repeat(SQUARE[..., :1], channels, axis=2)
    changed = change_with("Canny", FIXED, 2)(image)
    assert len(colours(changed)) == 2
    edges = cv2.Canny(np.ascontiguousarray(SQUARE), 100, 200) > 0
    assert len(colours(changed[edges][None])) == 1
    assert len(colours(changed[~edges][None])) == 1


def test_colours_are_drawn_anew_for_each_image():
    found = {tuple(change_with("Canny", FIXED, seed)(SQUARE)[0, 0]) for seed in range(20)}
    assert len(found) == 20


def test_alpha_blends_with_the_image():
    whole = change_with("Canny", FIXED, 5)(SQUARE).astype(float)
    half = change_with("Canny", {**FIXED, "alpha": 0.5}, 5)(SQUARE)
    np.testing.assert_allclose(half, (SQUARE + whole) / 2, atol=0.51)
    np.testing.assert_array_equal(change_with("Canny", {**FIXED, "alpha": 0})(SQUARE), SQUARE)


def test_thresholds_may_be_ranges_and_come_in_any_order():
    ranged = {**FIXED, "hysteresis_thresholds": [[200, 200], [100, 100]]}
    edges = cv2.Canny(SQUARE, 100, 200) > 0
    changed = change_with("Canny", ranged)(SQUARE)
    assert len(colours(changed[edges][None])) == len(colours(changed[~edges][None])) == 1
    high = {**FIXED, "hysteresis_thresholds": [5000, 6000]}
    assert len(colours(change_with("Canny", high)(SQUARE))) == 1


@pytest.mark.parametrize("thresholds", [100, [100], [-1, 100], [[1, "a"], 3]])
def test_other_thresholds_are_refused(thresholds):
    with pytest.raises(ConfigError, match=r"\[low, high\], each a number of at least 0 or a range"):
        change_with("Canny", {**FIXED, "hysteresis_thresholds": thresholds})
