import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixels import change_with, rough_picture, smooth_picture
from scipy import ndimage

from fivefold.augment.convolve import facing
from fivefold.core.errors import ConfigError

IMAGE = rough_picture()
SMOOTH = smooth_picture()


def correlated(image, matrix):
    weights = np.asarray(matrix, float)[..., None]
    return np.clip(ndimage.correlate(image.astype(float), weights, mode="mirror"), 0, 255)


@given(matrix=st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_matrix_is_laid_over_each_pixel_as_scipy_does(matrix):
    if len(matrix) % 2 == 0:
        matrix = [*matrix, matrix[0]]
    changed = change_with("Convolve", {"matrix": matrix})(IMAGE)
    np.testing.assert_allclose(changed, correlated(IMAGE, matrix), atol=0.51)


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_any_number_of_channels_is_weighed_each_alone(channels):
    image = rough_picture(channels=channels)
    changed = change_with("EdgeDetect", 0.5)(image)
    for i in range(channels):
        alone = change_with("EdgeDetect", 0.5)(image[..., i : i + 1])
        np.testing.assert_array_equal(changed[..., i], alone[..., 0])


def test_sharpen_keeps_brightness_and_makes_edges_steeper():
    sharp = change_with("Sharpen", {"alpha": 1.0, "lightness": 1.0})(SMOOTH // 2 + 60)
    before = (SMOOTH // 2 + 60).astype(float)
    assert abs(sharp.mean() - before.mean()) < 1
    assert (
        np.abs(np.diff(sharp.astype(float), axis=0)).sum()
        > 1.5 * np.abs(np.diff(before, axis=0)).sum()
    )
    half = change_with("Sharpen", {"alpha": 0.5, "lightness": 2.0})(SMOOTH)
    matrix = [[-0.5, -0.5, -0.5], [-0.5, 0.5 + 5, -0.5], [-0.5, -0.5, -0.5]]
    np.testing.assert_allclose(half, correlated(SMOOTH, matrix), atol=0.51)


def test_emboss_is_the_matrix_of_its_strength():
    changed = change_with("Emboss", {"alpha": 1.0, "strength": 0.5})(SMOOTH)
    matrix = [[-1.5, -0.5, 0], [-0.5, 1, 0.5], [0, 0.5, 1.5]]
    np.testing.assert_allclose(changed, correlated(SMOOTH, matrix), atol=0.51)


def test_edges_of_nothing_are_black():
    plain = np.full((9, 9, 3), 90, np.uint8)
    assert change_with("EdgeDetect", 1.0)(plain).max() == 0
    assert change_with("DirectedEdgeDetect", {"alpha": 1.0, "direction": 0.3})(plain).max() == 0
    for name in ("Sharpen", "Emboss", "EdgeDetect", "DirectedEdgeDetect"):
        np.testing.assert_array_equal(change_with(name, 0)(IMAGE), IMAGE)


@pytest.mark.parametrize(
    ("direction", "place"),
    [(0.0, (0, 1)), (0.25, (1, 2)), (0.5, (2, 1)), (0.75, (1, 0)), (0.125, (0, 2))],
)
def test_a_direction_weighs_the_neighbour_that_lies_there_most(direction, place):
    matrix = facing(direction)
    assert matrix.sum() == pytest.approx(0, abs=1e-6)
    assert np.unravel_index(matrix.argmin(), matrix.shape) == place
    assert matrix[1, 1] == 1


def test_an_edge_shows_on_the_side_that_the_direction_faces():
    image = np.zeros((9, 9, 1), np.uint8)
    image[:, 5:] = 200
    to_the_left = change_with("DirectedEdgeDetect", {"alpha": 1.0, "direction": 0.75})(image)
    to_the_right = change_with("DirectedEdgeDetect", {"alpha": 1.0, "direction": 0.25})(image)
    assert to_the_left[4, 5, 0] > 100
    assert to_the_right[4, 5, 0] <= 2


@pytest.mark.parametrize("matrix", [[], [[]], [[1, 2], [3]], [[1, "a"]], 3, [1, 2]])
def test_what_is_no_matrix_is_refused(matrix):
    with pytest.raises(ConfigError, match="a matrix: a list of rows of numbers, all equally long"):
        change_with("Convolve", {"matrix": matrix})
