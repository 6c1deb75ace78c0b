import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pixels import change_with, rough_picture
from torchvision.transforms.v2 import functional as reference

from fivefold.augment import build_augmentation
from fivefold.core.errors import ConfigError

IMAGE = rough_picture()


def torch_result(function, *arguments):
    pixels = torch.from_numpy(IMAGE).permute(2, 0, 1)
    return function(pixels, *arguments).permute(1, 2, 0).numpy()


@given(value=st.integers(-300, 300))
def test_add_adds_and_ends_at_0_and_255(value):
    expected = np.clip(IMAGE.astype(int) + value, 0, 255)
    np.testing.assert_array_equal(change_with("Add", value)(IMAGE), expected)


@given(mul=st.floats(0, 4))
def test_multiply_multiplies_and_rounds(mul):
    expected = np.clip(np.rint(IMAGE.astype(np.float32) * np.float32(mul)), 0, 255)
    np.testing.assert_array_equal(change_with("Multiply", mul)(IMAGE), expected)


def test_per_channel_moves_each_channel_by_its_own_number():
    grey = np.full((4, 5, 3), 100, np.uint8)
    moved = change_with("Add", {"value": [-50, 50], "per_channel": True})(grey)
    assert len({tuple(channel.ravel()) for channel in np.moveaxis(moved, 2, 0)}) == 3
    together = change_with("Add", {"value": [-50, 50]})(grey)
    assert len(np.unique(together)) == 1


def test_two_numbers_are_a_range_and_three_a_choice():
    grey = np.full((2, 2, 1), 100, np.uint8)
    ranged = {int(change_with("Add", [10, 20], seed)(grey)[0, 0, 0]) for seed in range(300)}
    assert ranged == set(range(110, 121))
    chosen = {int(change_with("Add", [10, 20, 30], seed)(grey)[0, 0, 0]) for seed in range(100)}
    assert chosen == {110, 120, 130}


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.9])
def test_brightness_is_enhanced_as_torchvision_does(factor):
    expected = torch_result(reference.adjust_brightness, factor)
    np.testing.assert_array_equal(change_with("EnhanceBrightness", factor)(IMAGE), expected)


def test_invert_and_solarize_are_torchvisions():
    np.testing.assert_array_equal(change_with("Invert", 1)(IMAGE), torch_result(reference.invert))
    np.testing.assert_array_equal(
        change_with("Solarize", {"threshold": 77})(IMAGE), torch_result(reference.solarize, 77)
    )


@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_torchvisions(bits):
    expected = torch_result(reference.posterize, bits)
    np.testing.assert_array_equal(change_with("Posterize", bits)(IMAGE), expected)


def test_invert_within_bounds_mirrors_them():
    values = np.array([[[10], [20], [60], [200], [250]]], np.uint8)
    inverted = change_with("Invert", {"p": 1.0, "min_value": 20, "max_value": 200})(values)
    np.testing.assert_array_equal(inverted.ravel(), [200, 200, 160, 20, 20])


def test_p_is_the_share_of_inverted_images_or_channels():
    small = np.full((1, 1, 3), 10, np.uint8)
    whole = [change_with("Invert", 0.3, seed)(small).mean() for seed in range(1000)]
    assert set(whole) == {10, 245}
    assert 0.26 < np.mean(np.array(whole) == 245) < 0.34
    each = {"p": 0.3, "per_channel": True}
    channels = np.concatenate([change_with("Invert", each, s)(small).ravel() for s in range(500)])
    assert 0.26 < np.mean(channels == 245) < 0.34


def test_neighbouring_tables_give_the_bits_of_one_after_another():
    parts = [("Multiply", 1.7), ("Add", {"value": [-60, 60], "per_channel": True}), ("Invert", 1.0)]
    parts += [("GammaContrast", 0.6), ("Posterize", 5), ("LinearContrast", {"alpha": 1.3})]
    together = build_augmentation(parts, lambda *path: "")
    rng, alone_rng = np.random.default_rng(5), np.random.default_rng(5)
    fused = together(IMAGE, rng)
    step_by_step = IMAGE
    for part in parts:
        step_by_step = build_augmentation([part], lambda *path: "")(step_by_step, alone_rng)
    np.testing.assert_array_equal(fused, step_by_step)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Invert", 2, "less than or equal to 1, got 2"),
        (
            "Invert",
            {"p": 1.0, "min_value": 9, "max_value": 9},
            "expected max_value above min_value",
        ),
        ("Posterize", 9, r"a whole number from 1 to 8, a range \[a, b\] or a list"),
        ("Solarize", {"threshold": 300}, "a number from 0 to 255"),
        ("Add", "much", "a number, a range .* got 'much'"),
        ("EnhanceBrightness", -1, "a number of at least 0"),
    ],
)
def test_what_is_out_of_range_is_refused(name, options, message):
    with pytest.raises(ConfigError, match=message):
        change_with(name, options)
