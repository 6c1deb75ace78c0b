"""What is enlarged comes from a larger picture, at the same place, and sharper."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.augment import build_augmentation, resize
from fivefold.augment.closer import stretch
from fivefold.core.catalog import nowhere
from fivefold.core.seeding import generator_for

SIZES = [(64, 96), (160, 224)]
"""In images below 128 pixels warps are exact; above, boxes are of whole pixels."""


def augment(*items):
    return build_augmentation(items, nowhere)


def slope(height, width):
    """A plane, which any sharpness shows alike; [H, W, 3]."""
    y, x = (np.arange(n, dtype=np.float32) / n for n in (height, width))
    planes = [20 + 200 * x + 0 * y[:, None], 20 + 200 * y[:, None] + 0 * x]
    planes.append(20 + 100 * (x + y[:, None]))
    return np.stack([np.broadcast_to(p, (height, width)) for p in planes], 2).astype(np.uint8)


def refuse():
    pytest.fail("nobody needs the larger picture")


ENLARGING = [
    [("RandomResizedCrop", {"scale": [0.1, 0.4]})],
    [("Fliplr", 0.5), ("RandomResizedCrop", {"scale": [0.1, 0.4]}), ("Flipud", 0.5)],
    [("Affine", {"scale": [1.4, 2.0], "rotate": [-40, 40], "mode": "edge"})],
    [("Multiply", 0.8), ("RandomResizedCrop", {"scale": [0.1, 0.4]}), ("Add", 9)],
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("items", ENLARGING)
def test_the_place_is_the_same(items, size):
    change, (height, width) = augment(*items), size
    large = slope(2 * height, 2 * width)
    small = resize(large, height, width)
    step = 200 / min(size)  # between neighbours of the small picture
    for number in range(12):
        found = change.closer(small, lambda: large, generator_for(0, "augment", number))
        expected = change(small, generator_for(0, "augment", number))
        assert found.shape == expected.shape
        inner = (slice(4, -4), slice(4, -4))  # the edge of the small picture is further inside
        apart = np.abs(found[inner].astype(int) - expected[inner].astype(int))
        assert apart.max() <= 2 * step + 2


@pytest.mark.parametrize("size", SIZES)
def test_a_part_is_as_sharp_as_if_it_were_cut_from_the_original(size):
    height, width = size
    original = np.random.default_rng(0).integers(0, 256, (2 * height, 2 * width, 3), np.uint8)
    original = cv2.GaussianBlur(original, (0, 0), 1.0)
    small = resize(original, height, width)
    half = augment(("Affine", {"scale": 2.0, "mode": "edge"}))
    truth = original[height // 2 : height // 2 + height, width // 2 : width // 2 + width]
    found = half.closer(small, lambda: original, generator_for(0, "augment"))
    blurred = half(small, generator_for(0, "augment"))

    def error(image):
        return np.abs(image.astype(int) - truth.astype(int))[4:-4, 4:-4].mean()

    assert error(found) < 1
    assert error(blurred) > 3 * error(found) + 3


@pytest.mark.parametrize(
    "items",
    [
        [("Affine", {"scale": [0.5, 1.0], "rotate": [-40, 40]})],
        [("Fliplr", 1.0), ("Multiply", 0.7)],
        [("GaussianBlur", {"sigma": 2}), ("RandomResizedCrop", {"scale": [0.1, 0.4]})],
        [("Crop", {"percent": 0.3}), ("RandomResizedCrop", {"scale": [0.1, 0.4]})],
        [],
    ],
)
def test_what_is_not_enlarged_or_not_at_first_has_the_bits_that_it_had(items):
    image = slope(64, 96)
    change = augment(*items)
    for number in range(5):
        found = change.closer(image, refuse, generator_for(0, "augment", number))
        assert np.array_equal(found, change(image, generator_for(0, "augment", number)))


@pytest.mark.parametrize("items", ENLARGING)
def test_without_a_larger_picture_nothing_is_different(items):
    image, change = slope(160, 224), augment(*items)
    for number in range(5):
        found = change.closer(image, lambda: None, generator_for(0, "augment", number))
        assert np.array_equal(found, change(image, generator_for(0, "augment", number)))


def test_a_picture_so_large_that_pixels_would_be_left_out_is_not_taken():
    change = augment(("Affine", {"scale": 1.5}))
    image, rng = slope(64, 96), generator_for(0, "augment")
    found = change.closer(image, lambda: slope(256, 384), rng)
    assert np.array_equal(found, change(image, rng))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("RandomResizedCrop", {})], True),
        ([("RandomResizedCrop", {"scale": [0.8, 1.0], "ratio": [1, 1]})], False),
        ([("Affine", {"scale": [0.8, 1.2]})], False),
        ([("Affine", {"scale": [1.0, 2.0]})], True),
        ([("ScaleX", {"scale": [1.0, 2.0]})], True),
        ([("Affine", {"rotate": [-40, 40]})], False),
        ([("Sometimes", {"p": 0.5, "then": {"RandomResizedCrop": {}}})], True),
        ([("Multiply", 1.2), ("RandomResizedCrop", {})], True),
        ([("GaussianBlur", {"sigma": 2}), ("RandomResizedCrop", {})], False),
        ([("TrivialAugment", {})], False),
        ([], False),
    ],
)
def test_an_augmentation_says_whether_it_enlarges(items, expected):
    assert augment(*items).enlarges(96, 96) is expected


@given(st.lists(st.floats(-4, 4), min_size=4, max_size=4))
def test_stretch_is_what_the_singular_values_say(numbers):
    matrix = np.eye(3)
    matrix[:2, :2] = np.reshape(numbers, (2, 2))
    most, least = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    assert stretch(matrix) == pytest.approx((least, most), abs=1e-6)
