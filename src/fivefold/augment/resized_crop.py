"""The crop that is enlarged to the whole, by which most networks are trained."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Size
from fivefold.augment.warp import Border, Warp


def _as_pair(value: Any) -> Any:
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) == 2 and all(type(v) in (int, float) and 0 < v <= 1000 for v in numbers):
        return tuple(value)
    msg = "a range [a, b] of numbers above 0, up to 1000"
    raise ValueError(msg)


Pair = Annotated[tuple[float, float], BeforeValidator(_as_pair)]


@augmenters.add(name="RandomResizedCrop")
def random_resized_crop(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: Pair = (0.08, 1.0),
    ratio: Pair = (3 / 4, 4 / 3),
) -> Change:
    """Cut out a random part and enlarge it to the whole, by linear interpolation.

    As torchvision's `RandomResizedCrop`: ten times a part of the area and a ratio of the sides are
    drawn, the ratio evenly in its logarithm; the first box that fits is taken, at an even place,
    and if none does, the largest one in the centre whose ratio is allowed.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        scale: Least and largest part of the area, above 0, at most 1.
        ratio: Least and largest width by height, above 0.

    Raises:
        ValueError: If a part is above 1, or a range has its larger end first.

    References:
        Szegedy et al., 2015, https://arxiv.org/abs/1409.4842
    """
    if max(scale) > 1 or scale[0] > scale[1] or ratio[0] > ratio[1]:
        msg = f"ranges [a, b] with a <= b, scale at most 1, got scale {scale} and ratio {ratio}"
        raise ValueError(msg)
    top, left, down, across = _box(rng, (height, width), scale, ratio)
    x, y = width / across, height / down
    matrix = ((x, 0.0, (0.5 - left) * x - 0.5), (0.0, y, (0.5 - top) * y - 0.5), (0.0, 0.0, 1.0))
    return Warp(np.array(matrix), Border(1, "edge"))


def _box(
    rng: np.random.Generator, size: Size, scale: Sequence[float], ratio: Sequence[float]
) -> tuple[int, int, int, int]:
    height, width = size
    for _ in range(10):
        area = height * width * rng.uniform(scale[0], scale[1])
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        across, down = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < across <= width and 0 < down <= height:
            top = int(rng.integers(height - down, endpoint=True))
            return top, int(rng.integers(width - across, endpoint=True)), down, across
    down = min(height, round(width / min(ratio)))
    across = min(width, round(height * max(ratio)))
    return (height - down) // 2, (width - across) // 2, down, across
