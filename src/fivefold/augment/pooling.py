"""Augmenters that replace each block of pixels by one number.

Names and options are those of imgaug 0.3. A network's input has one size, so the result is
enlarged to the size it had.
"""

from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels
from fivefold.augment.coarse import Cells
from fivefold.augment.draws import Values, draw_whole
from fivefold.augment.per_channel import as_bytes
from fivefold.augment.preprocess import resize
from fivefold.core.types import AnyArray, Image


def _as_kept(value: Any) -> Any:
    if value is not True:
        msg = "true: every image keeps its size here"
        raise ValueError(msg)
    return value


KeepSize: TypeAlias = Annotated[bool, BeforeValidator(_as_kept)]


@augmenters.add(name="AveragePooling")
def average_pooling(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    kernel_size: Cells,
    keep_size: KeepSize = True,
) -> Change:
    """Replace each block by its mean.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        kernel_size: Side of the blocks in pixels.
        keep_size: Only true.
    """
    return _pooled(rng, kernel_size, "mean")


@augmenters.add(name="MaxPooling")
def max_pooling(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    kernel_size: Cells,
    keep_size: KeepSize = True,
) -> Change:
    """Replace each block by its brightest value; options as of `AveragePooling`."""
    return _pooled(rng, kernel_size, "max")


@augmenters.add(name="MinPooling")
def min_pooling(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    kernel_size: Cells,
    keep_size: KeepSize = True,
) -> Change:
    """Replace each block by its darkest value; options as of `AveragePooling`."""
    return _pooled(rng, kernel_size, "min")


@augmenters.add(name="MedianPooling")
def median_pooling(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    kernel_size: Cells,
    keep_size: KeepSize = True,
) -> Change:
    """Replace each block by its median; options as of `AveragePooling`."""
    return _pooled(rng, kernel_size, "median")


def _pooled(rng: np.random.Generator, kernel_size: Values, how: str) -> Change:
    side = int(draw_whole(rng, kernel_size))
    if side == 1:
        return NOTHING
    return Pixels(partial(_pool, side=side, how=how))


def _pool(image: Image, side: int, how: str) -> Image:
    height, width, channels = image.shape
    rows, columns = -(-height // side), -(-width // side)
    pad = ((0, rows * side - height), (0, columns * side - width), (0, 0))
    # A block that the edge cuts is filled up with the edge's own pixels.
    whole = np.pad(image, pad, mode="edge")
    blocks: AnyArray = whole.reshape(rows, side, columns, side, channels)
    small = as_bytes(getattr(np, how)(blocks, axis=(1, 3)))
    return resize(small, height, width)
