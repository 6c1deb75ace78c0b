import numpy as np
import pytest

from fivefold.augment import resize


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_an_image_of_that_size_is_returned_itself():
    image = noise(8, 9, 3)
    assert resize(image, 8, 9) is image


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("size", [(4, 5), (30, 40), (4, 40), (20, 5), (20, 40)])
def test_any_size_and_any_number_of_channels(channels, size):
    resized = resize(noise(20, 16, channels), *size)
    assert resized.shape == (*size, channels)
    assert resized.dtype == np.uint8


def test_channels_do_not_mix():
    image = noise(20, 16, 6)
    alone = [resize(image[..., i : i + 1], 9, 33) for i in range(6)]
    together = resize(image, 9, 33).astype(int)
    assert np.abs(together - np.concatenate(alone, axis=2)).max() <= 1  # OpenCV's rounding


def test_shrinking_averages_areas():
    image = noise(12, 8, 3)
    means = image.reshape(4, 3, 4, 2, 3).mean((1, 3))
    assert np.abs(resize(image, 4, 4) - means).max() <= 1


def test_stripes_shrink_to_grey_and_not_to_black_or_white():
    image = np.zeros((64, 64, 1), np.uint8)
    image[:, ::2] = 255
    assert np.abs(resize(image, 16, 16).astype(int) - 128).max() <= 1


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_flat_image_stays_flat(value):
    flat = np.full((5, 7, 3), value, np.uint8)
    assert (resize(flat, 50, 3) == value).all()


def test_growing_keeps_a_ramp():
    ramp = np.tile(np.arange(0, 200, 10, dtype=np.uint8)[None, :, None], (4, 1, 1))
    grown = resize(ramp, 4, 40)[0, 4:-4, 0].astype(int)
    assert set(np.diff(grown)) <= {4, 5, 6}
