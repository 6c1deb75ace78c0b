import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixels import change_with, rough_picture, smooth_picture
from scipy import ndimage

from fivefold.augment.blur import way
from fivefold.core.errors import ConfigError

IMAGE = rough_picture()


@given(sigma=st.floats(0.5, 4))
def test_gaussian_is_scipys(sigma):
    changed = change_with("GaussianBlur", sigma)(IMAGE)
    expected = ndimage.gaussian_filter(IMAGE.astype(float), (sigma, sigma, 0), mode="mirror")
    # Cut off at three standard deviations, and SciPy at four.
    np.testing.assert_allclose(changed, expected, atol=2.5)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_average_is_the_mean_of_a_box(k):
    changed = change_with("AverageBlur", k)(IMAGE)
    expected = ndimage.uniform_filter(IMAGE.astype(float), (k, k, 0), mode="mirror")
    np.testing.assert_allclose(changed, expected, atol=0.51)


def test_a_box_may_have_another_height_than_width():
    changed = change_with("AverageBlur", {"k": [[3, 3], [7, 7]]})(IMAGE)
    expected = ndimage.uniform_filter(IMAGE.astype(float), (3, 7, 0), mode="mirror")
    np.testing.assert_allclose(changed, expected, atol=0.51)


@pytest.mark.parametrize("k", [3, 5, 7])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_median_is_scipys_away_from_the_edge(k, channels):
    image = rough_picture(channels=channels)
    changed = change_with("MedianBlur", k)(image)
    expected = ndimage.median_filter(image, (k, k, 1))
    inside = (slice(k, -k), slice(k, -k))
    np.testing.assert_array_equal(changed[inside], expected[inside])


def test_an_even_median_is_refused_alone_and_grows_in_a_range():
    with pytest.raises(ConfigError, match="k: an odd number, got 4: use 3 or 5"):
        change_with("MedianBlur", 4)
    change_with("MedianBlur", [4, 4.0])(IMAGE)
    np.testing.assert_array_equal(
        change_with("MedianBlur", [4, 4])(IMAGE), change_with("MedianBlur", 5)(IMAGE)
    )


def test_bilateral_smooths_and_keeps_a_strong_edge():
    step = np.zeros((20, 40, 3), np.float64)
    step[:, 20:] = 200
    noisy = np.clip(step + 20 + np.random.default_rng(0).normal(0, 8, step.shape), 0, 255)
    noisy = noisy.astype(np.uint8)
    options = {"d": 9, "sigma_color": 60, "sigma_space": 5}
    changed = change_with("BilateralBlur", options)(noisy).astype(float)
    assert changed[:, :15].std() < 0.5 * noisy[:, :15].astype(float).std()
    assert changed[:, 20].mean() - changed[:, 19].mean() > 190
    blurred = change_with("GaussianBlur", 3)(noisy).astype(float)
    assert blurred[:, 20].mean() - blurred[:, 19].mean() < 60


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_bilateral_takes_further_channels_alone(channels):
    image = smooth_picture(channels=channels)
    options = {"d": 5, "sigma_color": 60, "sigma_space": 5}
    changed = change_with("BilateralBlur", options)(image)
    expected = cv2.bilateralFilter(
        np.ascontiguousarray(image[..., -1]), 5, 60, 5, borderType=cv2.BORDER_REFLECT_101
    )
    np.testing.assert_array_equal(changed[..., -1], expected)


@given(length=st.sampled_from([3, 5, 9, 15]), angle=st.floats(0, 360), direction=st.floats(-1, 1))
def test_a_way_weighs_one_in_all(length, angle, direction):
    assert way(length, angle, direction).sum() == pytest.approx(1, abs=1e-5)


def test_a_way_lies_upright_and_turns_clockwise():
    upright = way(5, 0, 0.0)
    np.testing.assert_allclose(upright[:, 2], 0.2)
    assert np.count_nonzero(upright) == 5
    lying = way(5, 90, 0.0)
    np.testing.assert_allclose(lying[2], 0.2, atol=1e-3)
    slanted = way(5, 45, 0.0, order=0)
    assert slanted[1, 3] > 0
    assert slanted[1, 1] == 0


def test_a_direction_weighs_one_end_of_the_way_more():
    back, forth = way(5, 0, -1.0)[:, 2], way(5, 0, 1.0)[:, 2]
    np.testing.assert_allclose(back, forth[::-1])
    assert back[-1] > back[0]


def test_motion_spreads_a_point_along_its_way_alone():
    point = np.zeros((15, 15, 1), np.uint8)
    point[7, 7] = 255
    moved = change_with("MotionBlur", {"k": 5, "angle": 0, "direction": 0})(point)
    np.testing.assert_array_equal(np.flatnonzero(moved.sum((1, 2))), range(5, 10))
    np.testing.assert_array_equal(np.flatnonzero(moved.sum((0, 2))), [7])


@pytest.mark.parametrize(
    ("name", "options"),
    [("GaussianBlur", 0), ("AverageBlur", 1), ("MedianBlur", 1), ("BilateralBlur", 1)],
)
def test_the_least_blur_is_none(name, options):
    assert change_with(name, options)(IMAGE) is IMAGE


def test_sides_are_whole_numbers():
    with pytest.raises(ConfigError, match="a whole number from 0 to 255"):
        change_with("AverageBlur", 2.5)
    with pytest.raises(ConfigError, match=r"or \[height, width\] of these"):
        change_with("AverageBlur", {"k": [[1, 2], [3, 4], [5, 6]]})
