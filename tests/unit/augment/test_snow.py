import cv2
import numpy as np
import pytest
from pixels import change_with, smooth_picture

from fivefold.augment.snow import Fall, flakes

IMAGE = smooth_picture(96, 128) // 3 + 20
LAYER = {
    "intensity_mean": 220,
    "intensity_freq_exponent": -2,
    "intensity_coarse_scale": 5,
    "alpha_min": 0.0,
    "alpha_multiplier": 1.0,
    "alpha_size_px_max": 8,
    "alpha_freq_exponent": -2,
    "sparsity": 1.0,
    "density_multiplier": 1.0,
}


def rng(seed=0):
    return np.random.default_rng(seed)


def contrast(image):
    return image.astype(float).std()


def test_full_clouds_hide_the_image_and_none_leave_it():
    hidden = change_with("CloudLayer", {**LAYER, "alpha_min": 1.0})(IMAGE)
    assert hidden.mean() == pytest.approx(220, abs=15)
    assert abs(np.corrcoef(hidden[..., 0].ravel(), IMAGE[..., 0].ravel())[0, 1]) < 0.3
    clear = change_with("CloudLayer", {**LAYER, "alpha_multiplier": 0})(IMAGE)
    np.testing.assert_array_equal(clear, IMAGE)


def test_sparse_clouds_leave_more_of_the_sky_open():
    thin, thick = (
        np.mean(
            [
                change_with("CloudLayer", {**LAYER, "sparsity": s}, seed)(IMAGE).mean()
                for seed in range(10)
            ]
        )
        for s in (3.0, 0.5)
    )
    assert IMAGE.mean() < thin < thick - 15


@pytest.mark.parametrize("name", ["Clouds", "Fog", "Snowflakes", "Rain"])
def test_weather_brightens(name):
    for seed in range(6):
        changed = change_with(name, None, seed)(IMAGE)
        assert changed.astype(int).mean() > IMAGE.mean()


def test_fog_takes_contrast_and_is_nearly_even():
    clear = smooth_picture(96, 128)
    foggy = [change_with("Fog", None, seed)(clear) for seed in range(6)]
    assert all(contrast(image) < 0.75 * contrast(clear) for image in foggy)


def test_snow_lies_where_it_is_dark_and_keeps_hues():
    options = {"lightness_threshold": 100, "lightness_multiplier": 2.0}
    changed = change_with("FastSnowyLandscape", options)(IMAGE)
    before, after = (
        cv2.cvtColor(i, cv2.COLOR_RGB2HLS)[..., 1].astype(int) for i in (IMAGE, changed)
    )
    dark = before < 99
    np.testing.assert_allclose(after[dark], np.minimum(before[dark] * 2, 255), atol=3)
    np.testing.assert_allclose(after[before > 101], before[before > 101], atol=3)


def test_flakes_cover_what_their_density_says():
    fall = {"evenness": 1.0, "size": 0.0, "likeness": 1.0, "angle": 0.0, "speed": 0.0}
    few, many = (
        np.mean(
            [flakes(rng(seed), 96, 128, Fall(density=d, **fall), 0.0).mean() for seed in range(5)]
        )
        for d in (0.02, 0.2)
    )
    assert few == pytest.approx(0.02, rel=0.2)
    assert many == pytest.approx(0.2, rel=0.2)


@pytest.mark.parametrize("speed", [0.007, 0.03, 0.2])
@pytest.mark.parametrize("size", [96, 224, 512])
def test_flakes_cover_as_much_whatever_their_speed_and_the_size_of_the_image(speed, size):
    fall = Fall(0.05, 1.0, 0.3, 1.0, angle=10.0, speed=speed)
    covered = np.mean([flakes(rng(seed), size, size, fall, 0.5).mean() for seed in range(8)])
    assert covered == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("name", ["Snowflakes", "Rain"])
def test_what_falls_never_hides_the_image(name):
    large = cv2.resize(IMAGE, (448, 448))
    for seed in range(6):
        changed = change_with(name, None, seed)(large).astype(float)
        assert np.mean(changed - large) < 60
        # Only so many pixels change a lot, and most of the picture is still seen.
        assert (np.abs(changed - large).max(axis=2) > 64).mean() < 0.35


def test_a_layer_of_flakes_brightens_the_share_that_its_density_says():
    options = {
        "density": 0.1,
        "density_uniformity": 1.0,
        "flake_size": 0.3,
        "flake_size_uniformity": 1.0,
        "angle": 0,
        "speed": 0.01,
        "blur_sigma_fraction": 0.0001,
        "blur_sigma_limits": [0.0, 0.5],
    }
    black = np.zeros((96, 128, 3), np.uint8)
    for share in (0.05, 0.2):
        layers = [
            change_with("SnowflakesLayer", options | {"density": share}, seed)(black)
            for seed in range(6)
        ]
        assert np.mean(layers) / 255 == pytest.approx(share, rel=0.25)
        assert max(layer.max() for layer in layers) > 200
    white = np.full((96, 128, 3), 255, np.uint8)
    np.testing.assert_array_equal(change_with("SnowflakesLayer", options)(white), white)


def test_larger_flakes_are_larger():
    def edges(size):
        layer = flakes(rng(1), 96, 128, Fall(0.1, 1.0, size, 1.0, angle=0.0, speed=0.0), 0.5)
        return np.abs(np.diff(layer, axis=1)).sum() / layer.sum()

    assert edges(0.0) > 2 * edges(0.8)


@pytest.mark.parametrize(("angle", "along"), [(0.0, 0), (90.0, 1)])
def test_what_falls_fast_is_long_along_its_way(angle, along):
    layer = flakes(rng(1), 96, 128, Fall(0.01, 1.0, 0.0, 1.0, angle=angle, speed=0.15), 0.5)
    steps = [np.abs(np.diff(layer, axis=axis)).sum() for axis in (along, 1 - along)]
    assert steps[0] < 0.5 * steps[1]


def test_an_uneven_fall_is_dense_here_and_thin_there():
    def unevenness(evenness):
        fall = Fall(0.3, evenness, 0.0, 1.0, angle=0.0, speed=0.0)
        blocks = [
            flakes(rng(s), 96, 128, fall, 0.0).reshape(8, 12, 8, 16).mean((1, 3)).std()
            for s in range(6)
        ]
        return np.mean(blocks)

    assert unevenness(0.0) > 2 * unevenness(1.0)
