"""What every augmenter does to a mask: it moves as the image does, and takes in no new values."""

import numpy as np
import pytest
from augmenter_options import GEOMETRY, PIXELS
from scipy.ndimage import maximum_filter, minimum_filter

from fivefold.augment import augmenters, build_augmentation, build_transforms
from fivefold.core.catalog import nowhere
from fivefold.core.masks import IGNORED

NAMES = [c.name for c in augmenters.components() if not c.facts.get("needs_mask")]

# Children of theirs that move pixels.
MOVING = {"Alpha", "SimplexNoiseAlpha", "WithColorspace"}

# They change colours as well, or pad with colours; here only places are looked at.
PLACES = {
    "AffineCv2": {"rotate": [-40, 40], "mode": "reflect_101"},
    "Alpha": {"factor": {"choice": [0, 1]}, "first": [{"Fliplr": 1.0}]},
    "CropAndPad": {"percent": [-0.2, 0.2]},
    "Pad": {"px": [0, 4, 2, [1, 3]], "pad_mode": "symmetric"},
    "PadToFixedSize": {"width": 80, "height": 70, "pad_mode": ["edge", "wrap", "reflect"]},
    "WithColorspace": {"to_colorspace": "BGR", "children": [{"Flipud": 0.5}]},
}
COLOURS_TOO = {"RandAugment", "TrivialAugment"}
BLENDED = {"SimplexNoiseAlpha"}  # between two images, whose masks meet elsewhere; see test_blend
MOVED = sorted((set(GEOMETRY) | MOVING) - COLOURS_TOO - BLENDED)

# Enlarged or interpolated twice, a rim between colours is as wide.
RIM = {"CropToFixedSize": 4, "WithPolarWarping": 3, "Resize": 3, "KeepSizeByResize": 3}


def rng(seed):
    return np.random.default_rng(seed)


def marked():
    """A mask [48, 64, 1] of rectangles, numbered 1 and 2, and an image with their brightness."""
    mask = np.zeros((48, 64, 1), np.uint8)
    mask[8:30, 10:35] = 1
    mask[25:42, 40:60] = 2
    return np.repeat(mask * 100, 3, axis=2), mask


@pytest.mark.parametrize("name", MOVED)
def test_a_mask_is_what_its_marked_image_becomes_but_for_a_rim_of_a_pixel(name):
    image, mask = marked()
    change = build_augmentation([(name, PLACES.get(name, GEOMETRY.get(name)))], nowhere)
    reach = RIM.get(name, 1)
    seen = False
    for seed in range(12):
        picture, moved = change(image, rng(seed), mask)
        seen |= bool((moved != mask).any())
        # Colours fade beyond the image, so its own edge is a rim as well.
        values = np.pad(moved[..., 0], 1, constant_values=9)
        window = (2 * reach + 1, 2 * reach + 1)
        lowest, highest = minimum_filter(values, window), maximum_filter(values, window)
        inner = (lowest == highest)[1:-1, 1:-1]
        wrong = np.abs(picture[..., 0] - 100.0 * moved[..., 0]) > 45
        assert inner.any()
        assert not (wrong & inner).any(), seed
    assert seen


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(GEOMETRY) - MOVING))
def test_what_changes_colours_leaves_masks_as_they_are(name):
    image = rng(9).integers(0, 256, (17, 24, 3), dtype=np.uint8)
    mask = rng(1).choice([0, 1, 2, IGNORED], (17, 24, 2)).astype(np.uint8)
    change = build_augmentation([(name, PIXELS.get(name))], nowhere)
    for seed in range(12):
        _, kept = change(image, rng(seed), mask)
        np.testing.assert_array_equal(kept, mask)


@pytest.mark.parametrize("name", NAMES)
def test_each_plane_of_a_mask_moves_as_it_would_alone_and_holds_no_new_values(name):
    image = rng(9).integers(0, 256, (17, 24, 3), dtype=np.uint8)
    mask = rng(1).choice([1, 3, IGNORED], (17, 24, 5)).astype(np.uint8)
    before = mask.copy()
    change = build_augmentation([(name, (GEOMETRY | PIXELS).get(name))], nowhere)
    for seed in range(5):
        picture, moved = change(image, rng(seed), mask)
        assert moved.shape == mask.shape
        assert moved.dtype == np.uint8
        assert set(np.unique(moved)) <= {0, 1, 3, IGNORED}
        np.testing.assert_array_equal(picture, change(image, rng(seed)))
        for plane in range(5):
            _, alone = change(image, rng(seed), np.ascontiguousarray(mask[..., plane]))
            np.testing.assert_array_equal(moved[..., plane], alone)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in COLOURS_TOO])
def test_as_a_transform_of_all_images_it_moves_masks_in_the_same_way(name):
    image, mask = marked()
    item = (name, (GEOMETRY | PIXELS).get(name))
    transform = build_transforms([item])
    picture, moved = transform(image, mask)
    np.testing.assert_array_equal(picture, transform(image))
    np.testing.assert_array_equal(moved, transform(image, mask)[1])
    if name not in set(GEOMETRY) | MOVING:
        np.testing.assert_array_equal(moved, mask)
