"""Which augmentations only mirror, and that what is drawn is what they do."""

import numpy as np
import pytest

from fivefold.augment import build_augmentation
from fivefold.augment.mirrors import find_mirrors
from fivefold.core.catalog import nowhere
from fivefold.core.seeding import generator_for

MIRRORS = [
    ([], 1),
    ([("Fliplr", 0.5)], 2),
    ([("Flipud", {"p": 0.7}), ("horizontalflip", 0.4)], 4),
    ([("Fliplr", 0.5), ("Fliplr", 0.5)], 2),
]


@pytest.mark.parametrize(("items", "ways"), MIRRORS)
def test_what_is_drawn_is_what_the_augmentation_does(items, ways):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    augment, draw = build_augmentation(items, nowhere), find_mirrors(items)
    seen = set()
    for number in range(40):
        rows, columns = draw(generator_for(1, "augment", number))
        expected = image[:: -1 if rows else 1, :: -1 if columns else 1]
        assert np.array_equal(augment(image, generator_for(1, "augment", number)), expected)
        seen.add((rows, columns))
    assert len(seen) == ways


@pytest.mark.parametrize(
    "items", [[("Affine", {})], [("Fliplr", 0.5), ("Add", 3)], [("MixUp", {})], [("None", 1)]]
)
def test_anything_else_is_no_mirror(items):
    assert find_mirrors(items) is None
