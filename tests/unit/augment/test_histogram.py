import cv2
import numpy as np
import pytest
from pixels import change_with, smooth_picture

from fivefold.core.errors import ConfigError

DULL = smooth_picture() // 4 + 90


def spread(channel):
    return np.percentile(channel, 95) - np.percentile(channel, 5)


def lightness(image):
    return cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., 0].astype(float)


@pytest.mark.parametrize("space", ["Lab", "HLS", "HSV"])
def test_lightness_is_spread_and_hue_kept(space):
    changed = change_with("HistogramEqualization", {"to_colorspace": space})(DULL)
    assert spread(lightness(changed)) > 2.5 * spread(lightness(DULL))
    hues = [cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 0] for image in (DULL, changed)]
    coloured = (np.ptp(DULL, axis=2) > 25) & (np.ptp(changed, axis=2) > 25)
    turn = np.abs(hues[0][coloured].astype(int) - hues[1][coloured])
    assert np.median(np.minimum(turn, 180 - turn)) <= (12 if space == "Lab" else 4)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_channels_are_spread_each_alone(channels):
    image = smooth_picture(channels=channels) // 4 + 90
    changed = change_with("AllChannelsHistogramEqualization")(image)
    for i in range(channels):
        expected = cv2.equalizeHist(np.ascontiguousarray(image[..., i]))
        np.testing.assert_array_equal(changed[..., i], expected)
        counts = (
            np.cumsum(np.bincount(changed[..., i].ravel(), minlength=256)) / changed[..., i].size
        )
        assert np.abs(counts - np.arange(1, 257) / 256).max() < 0.1


def test_an_image_without_colours_is_spread_by_channels():
    grey = smooth_picture(channels=1) // 4 + 90
    np.testing.assert_array_equal(
        change_with("HistogramEqualization")(grey),
        change_with("AllChannelsHistogramEqualization")(grey),
    )


def test_clahe_works_around_each_pixel():
    # Dark on the left, bright on the right; each half has a weak pattern of its own.
    rng = np.random.default_rng(0)
    weak = rng.integers(0, 12, (64, 64, 3))
    image = (weak + np.where(np.arange(64) < 32, 40, 200)[None, :, None]).astype(np.uint8)
    near = change_with("CLAHE", {"clip_limit": 40, "tile_grid_size_px": 4})(image)
    wide = change_with("HistogramEqualization")(image)
    for half in (slice(0, 24), slice(40, 64)):
        assert spread(lightness(near)[:, half]) > 1.3 * spread(lightness(wide)[:, half])


def test_a_lower_limit_gives_less_contrast():
    low, high = (change_with("CLAHE", limit)(DULL) for limit in (1, 40))
    assert spread(lightness(DULL)) < spread(lightness(low)) < spread(lightness(high))


def test_clahe_of_all_channels_is_opencvs():
    changed = change_with("AllChannelsCLAHE", {"clip_limit": 3, "tile_grid_size_px": 4})(DULL)
    for i in range(3):
        expected = cv2.createCLAHE(3, (4, 4)).apply(np.ascontiguousarray(DULL[..., i]))
        np.testing.assert_array_equal(changed[..., i], expected)
    differing = {"clip_limit": [1, 40], "per_channel": True}
    equal = np.repeat(DULL[..., :1], 3, axis=2)
    own = change_with("AllChannelsCLAHE", differing)(equal)
    assert (own[..., 0] != own[..., 1]).any()


def test_there_are_at_least_so_many_tiles():
    few = {"clip_limit": 3, "tile_grid_size_px": 1, "tile_grid_size_px_min": 4}
    np.testing.assert_array_equal(
        change_with("CLAHE", few)(DULL),
        change_with("CLAHE", {"clip_limit": 3, "tile_grid_size_px": 4})(DULL),
    )


def test_options_are_checked():
    with pytest.raises(ConfigError, match="'Lab', 'HLS' or 'HSV', got 'RGB'"):
        change_with("CLAHE", {"to_colorspace": "RGB"})
    with pytest.raises(ConfigError, match="a number above 0"):
        change_with("CLAHE", 0)
