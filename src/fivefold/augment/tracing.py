"""Where pixels came from that have gone through the transforms of all images."""

from collections.abc import Callable

import numpy as np

from fivefold.augment.pipeline import Items, build_augmentation
from fivefold.core.catalog import nowhere
from fivefold.core.seeding import generator_of
from fivefold.core.types import AnyArray, Image


def build_tracing(items: Items) -> Callable[[Image], AnyArray]:
    """Make the function that says where each pixel of a transformed image was before.

    A mask that holds the place of each pixel is sent along with the image, and moves as it does.

    Args:
        items: As for `build_transforms`.

    Returns:
        From an image [H, W, C] to the row and the column of each pixel of the transformed one,
        int32 [H, W, 2]; -1 where nothing came to, as in padding.
    """
    change = build_augmentation(items, nowhere, "transforms")

    def trace(image: Image) -> AnyArray:
        rows, columns = np.indices(image.shape[:2])
        marks = np.empty((*rows.shape, 5), dtype=np.uint8)
        marks[..., 0] = 1
        marks[..., 1], marks[..., 2] = rows >> 8, rows & 255
        marks[..., 3], marks[..., 4] = columns >> 8, columns & 255
        if items:
            _, marks = change(image, generator_of(image.tobytes()), marks)
        high, low = marks[..., [1, 3]].astype(np.int32), marks[..., [2, 4]]
        return np.where(marks[..., :1] > 0, high << 8 | low, -1)

    return trace
