import numpy as np
import pytest
from pixels import change_with, rough_picture

from fivefold.augment import build_augmentation

IMAGE = rough_picture()
INVERTED = 255 - IMAGE
FLIPPED = IMAGE[:, ::-1]


def test_alpha_blends_two_results():
    options = {"factor": 0.3, "first": {"Invert": 1.0}, "second": [{"Fliplr": 1.0}]}
    changed = change_with("Alpha", options)(IMAGE)
    np.testing.assert_allclose(changed, 0.3 * INVERTED + 0.7 * FLIPPED.astype(float), atol=0.51)


@pytest.mark.parametrize(("factor", "expected"), [(0.0, IMAGE), (1.0, INVERTED)])
def test_a_factor_at_its_end_is_one_of_the_two(factor, expected):
    for name in ("Alpha", "AlphaElementwise"):
        changed = change_with(name, {"factor": factor, "first": {"Invert": 1.0}})(IMAGE)
        np.testing.assert_array_equal(changed, expected)


def test_channels_have_their_own_factors_if_asked_for():
    plain = np.zeros((4, 5, 3), np.uint8)
    options = {"factor": [0.1, 0.9], "first": {"Invert": 1.0}, "per_channel": True}
    changed = change_with("Alpha", options)(plain)
    assert len(np.unique(changed)) == 3


def test_pixels_have_their_own_factors():
    plain = np.zeros((60, 80, 3), np.uint8)
    options = {"factor": [0.0, 1.0], "first": {"Invert": 1.0}}
    changed = change_with("AlphaElementwise", options)(plain)
    assert (changed[..., 0] == changed[..., 2]).all()
    assert len(np.unique(changed)) > 200
    assert changed.mean() == pytest.approx(127.5, abs=3)


@pytest.mark.parametrize("name", ["SimplexNoiseAlpha", "FrequencyNoiseAlpha"])
def test_maps_show_the_first_result_in_blobs(name):
    plain = np.zeros((60, 80, 3), np.uint8)
    options = {"first": {"Invert": 1.0}, "sigmoid": 1.0, "sigmoid_thresh": 0.0, "iterations": 1}
    options |= {"size_px_max": 8, "upscale_method": "nearest"}
    if name == "FrequencyNoiseAlpha":
        options["exponent"] = -2
    shares = [change_with(name, options, seed)(plain) / 255 for seed in range(10)]
    assert all(((s < 0.2) | (s > 0.8)).mean() > 0.4 for s in shares)
    rows = (np.arange(60) * 6) // 60
    assert all(np.abs(np.diff(s[..., 0], axis=0))[np.diff(rows) == 0].max() == 0 for s in shares)


def test_masks_follow_the_result_that_counts_more():
    mask = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64) % 5
    for factor, expected in ((0.6, mask[:, ::-1]), (0.4, mask)):
        items = [("Alpha", {"factor": factor, "first": {"Fliplr": 1.0}})]
        built = build_augmentation(items, lambda *path: "")
        _, moved = built(IMAGE, np.random.default_rng(0), mask)
        np.testing.assert_array_equal(moved, expected)


def test_a_mask_and_its_image_are_blended_at_the_same_pixels():
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :32] = 1
    image = np.repeat(mask[..., None] * 255, 3, axis=2)
    options = {"factor": [0, 1, 1], "first": {"Fliplr": 1.0}}
    built = build_augmentation([("AlphaElementwise", options)], lambda *path: "")
    changed, moved = built(image, np.random.default_rng(0), mask)
    np.testing.assert_array_equal(changed[..., 0], moved * 255)
    assert 0.2 < moved[:, 32:].mean() < 0.8
