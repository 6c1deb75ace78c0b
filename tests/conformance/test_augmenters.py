"""What every augmenter promises, whoever wrote it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from augmenter_options import GEOMETRY, PIXELS

from fivefold.augment import augmenters, build_augmentation
from fivefold.core.errors import DataError

OPTIONS = GEOMETRY | PIXELS
QUIET = {"Noop"}


def augmentation(name):
    return build_augmentation([(name, OPTIONS.get(name))], lambda *path: ".".join(map(str, path)))


def rng(seed):
    return np.random.default_rng(seed)


def image_of(channels):
    return rng(9).integers(0, 256, (17, 24, channels), dtype=np.uint8)


# One that needs masks has tests of its own.
NAMES = [c.name for c in augmenters.components() if not c.facts.get("needs_mask")]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shape_and_type_are_kept(name, channels):
    image = image_of(channels)
    before = image.copy()
    if channels < 3 and augmenters.get(name).facts.get("colour"):
        with pytest.raises(DataError, match=r"at least 3 channels .*, got 1") as error:
            [augmentation(name)(image, rng(seed)) for seed in range(20)]
        assert error.value.slug == "data/no-colour"
        return
    for seed in range(5):
        changed = augmentation(name)(image, rng(seed))
        assert changed.shape == image.shape
        assert changed.dtype == np.uint8
        assert changed.flags.c_contiguous
    np.testing.assert_array_equal(image, before)


def test_the_same_generator_gives_the_same_image(name):
    first = [augmentation(name)(image_of(3), rng(seed)) for seed in range(5)]
    again = [augmentation(name)(image_of(3), rng(seed)) for seed in range(5)]
    np.testing.assert_array_equal(first, again)


def test_threads_change_no_bit(name):
    change, images = augmentation(name), [image_of(3) for _ in range(8)]
    generators = [[rng(seed) for seed in range(8)] for _ in range(2)]
    one_by_one = [*map(change, images, generators[0])]
    with ThreadPoolExecutor(4) as threads:
        np.testing.assert_array_equal([*threads.map(change, images, generators[1])], one_by_one)


def test_something_changes_for_some_generator(name):
    image = image_of(3)
    changed = [augmentation(name)(image, rng(seed)) for seed in range(20)]
    assert any((result != image).any() for result in changed) != (name in QUIET)


def test_masks_keep_their_classes_and_their_shape(name):
    mask = rng(1).integers(0, 3, (17, 24), dtype=np.uint8)
    for seed in range(5):
        _, moved = augmentation(name)(image_of(3), rng(seed), mask)
        assert moved.shape == mask.shape
        assert set(np.unique(moved)) <= {0, 1, 2}


def test_names_are_found_in_any_case_and_explain_themselves(name):
    component = augmenters.find(name.upper())
    assert component is augmenters.find(name.lower())
    assert component.summary
