"""Options that nobody means: each is a complaint, or the augmenter works with it."""

import math
from contextlib import suppress

import numpy as np
import pytest
from augmenter_options import GEOMETRY, PIXELS

from fivefold.augment import augmenters, build_augmentation
from fivefold.core.errors import ConfigError

OPTIONS = GEOMETRY | PIXELS
NAMES = [c.name for c in augmenters.components() if not c.facts.get("needs_mask")]
WILD = [
    *(1e308, -(10**30), 1e9, 1e6, 1000, 100, -1, 0, math.nan, math.inf),
    *([], [math.nan, 1], [5, 1], [0, 1e9], [[1], [2]], {}, {"choice": []}, {"x": [1, 2]}),
    *("", "abc", "1.5", True, None),
]


def where(*path):
    return ".".join(map(str, path))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_any_value_is_a_complaint_or_works(name):
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    component = augmenters.get(name)
    usual = component.as_mapping(OPTIONS.get(name))
    options = [
        {**usual, option: wild} for option in component.options.model_fields for wild in WILD
    ]
    for value in [*options, *WILD]:
        with suppress(ConfigError):
            change = build_augmentation([(name, value)], where)
            assert change(image, np.random.default_rng(1)).shape == image.shape
