import numpy as np
import pytest
from pixels import change_with, rough_picture, smooth_picture

from fivefold.core.errors import ConfigError

REDUCE = {
    "AveragePooling": np.mean,
    "MaxPooling": np.max,
    "MinPooling": np.min,
    "MedianPooling": np.median,
}


@pytest.mark.parametrize("name", REDUCE)
def test_blocks_become_their_number(name):
    # Plain blocks of two values each: after pooling all are plain, and enlarging keeps the middles.
    image = rough_picture(24, 32, 2)
    changed = change_with(name, 8)(image)
    blocks = REDUCE[name](image.reshape(3, 8, 4, 8, 2), axis=(1, 3))
    whole = change_with(name, 24)(np.tile(image[:, :24], (2, 2, 1)))
    expected = np.rint(REDUCE[name](image[:, :24].reshape(-1, 2), axis=0))
    np.testing.assert_array_equal(whole, np.broadcast_to(expected.astype(np.uint8), whole.shape))
    middles = changed.reshape(3, 8, 4, 8, 2)[:, 3:5, :, 3:5].mean(axis=(1, 3))
    assert np.corrcoef(middles.ravel(), blocks.ravel())[0, 1] > 0.9


def test_least_and_greatest_lie_on_either_side_of_the_mean():
    image = smooth_picture()
    low, mean, high = (
        change_with(n, 4)(image).mean() for n in ("MinPooling", "AveragePooling", "MaxPooling")
    )
    assert low < mean - 3
    assert mean + 3 < high
    assert mean == pytest.approx(image.mean(), abs=1)


def test_blocks_that_do_not_fit_are_filled_with_the_edge():
    image = np.zeros((10, 10, 1), np.uint8)
    image[9] = 200
    assert change_with("MaxPooling", 9)(image)[-1].min() > 190


def test_blocks_of_one_change_nothing_and_the_size_always_stays():
    image = rough_picture()
    assert change_with("AveragePooling", 1)(image) is image
    with pytest.raises(ConfigError, match="true: every image keeps its size here, got False"):
        change_with("MaxPooling", {"kernel_size": 2, "keep_size": False})
