"""Augmentation that only mirrors: it moves whole pixels, so whatever moves them gets the same."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import change_image, draw_changes, fuse
from fivefold.augment.children import make_step
from fivefold.core.types import Image

Mirrors: TypeAlias = Callable[[np.random.Generator], tuple[bool, bool]]
"""From a generator to whether rows and columns come in reverse."""

_MIRRORS = ("Fliplr", "Flipud")


def find_mirrors(items: Sequence[tuple[str, Any]]) -> Mirrors | None:
    """Make what draws how an image is mirrored, just as its augmentation draws it.

    Args:
        items: Names and options of augmenters, in order; they have been checked.

    Returns:
        None if there is anything else among them. Without any, nothing is ever mirrored.
    """
    found = [augmenters.find(name) for name, _ in items]
    if any(component is None or component.name not in _MIRRORS for component in found):
        return None
    steps = [make_step(name, value) for name, value in items]
    corners: Image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)

    def draw(rng: np.random.Generator) -> tuple[bool, bool]:
        first = int(change_image(corners, fuse(draw_changes(steps, rng, 2, 2)))[0, 0, 0])
        return first >= 2, first % 2 == 1

    return draw
