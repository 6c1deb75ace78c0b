"""Augmenters that take an image apart and put it together again, as imgaug 0.4 has them."""

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np

from fivefold.augment.box import as_pixels
from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Both, Change, Size, size_after
from fivefold.augment.children import ChildrenOption
from fivefold.augment.draws import Count, Values, draw_whole, whole_between
from fivefold.augment.frames import Frame, framed, resized
from fivefold.augment.warp import by_channels
from fivefold.core.optional import late
from fivefold.core.types import Image, Indices

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Steps = Annotated[Values, whole_between(0, 100)]

_NEIGHBOURS = ((-1, 0), (0, 1), (1, 0), (0, -1))


@augmenters.add(name="Jigsaw")
def jigsaw(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    nb_rows: Count = 10,
    nb_cols: Count = 10,
    max_steps: Steps = 1,
    allow_pad: bool = True,
) -> Change:
    """Cut the image into equal cells, and let some change places with a neighbour.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        nb_rows: Rows of cells.
        nb_cols: Columns of cells.
        max_steps: How many places a cell moves at most; each has its own number up to this.
        allow_pad: Whether black is put around where the cells would not be whole pixels; else the
            rest at the right and the bottom stays.
    """
    rows, columns, steps = (int(draw_whole(rng, n)) for n in (nb_rows, nb_cols, max_steps))
    rows, columns = min(max(rows, 1), height), min(max(columns, 1), width)
    places = _swapped(rng, (rows, columns), steps)
    down, across = (-height % rows, -width % columns) if allow_pad else (0, 0)
    sides = (down // 2, across - across // 2, down - down // 2, across // 2)
    put = partial(_rearranged, places=places)
    padded = framed(Frame(sides), (height, width))
    return NOTHING if steps == 0 else (padded, Both(put, put))


@augmenters.add(name="WithPolarWarping", children="children")
def with_polar_warping(
    rng: np.random.Generator, height: int, width: int, *, children: ChildrenOption
) -> Change:
    """Apply its augmenters to the image unrolled about its centre, and roll it up again.

    Across lies the distance from the centre, down the angle: what moves down turns.
    """
    radius = math.hypot(height / 2, width / 2)
    unrolled = (max(1, round(math.pi * radius)), max(1, round(radius)))
    drawn = children.draw(rng, *unrolled)
    if not drawn:
        return NOTHING
    back = () if size_after(drawn, unrolled) == unrolled else resized(unrolled)
    centre = ((width - 1) / 2, (height - 1) / 2)
    return (
        _polar(unrolled, centre, radius, inverse=False),
        *drawn,
        back,
        _polar((height, width), centre, radius, inverse=True),
    )


def _polar(size: Size, centre: tuple[float, float], radius: float, *, inverse: bool) -> Both:
    warp = partial(_warped, size=size, centre=centre, radius=radius, inverse=inverse)
    return Both(partial(warp, smooth=True), partial(warp, smooth=False), size)


def _warped(
    image: Image,
    *,
    size: Size,
    centre: tuple[float, float],
    radius: float,
    inverse: bool,
    smooth: bool,
) -> Image:
    flags = (cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST) | cv2.WARP_FILL_OUTLIERS
    flags |= cv2.WARP_INVERSE_MAP if inverse else 0

    def change(part: Image) -> Image:
        return as_pixels(cv2.warpPolar(part, (size[1], size[0]), centre, radius, flags))

    return by_channels(image, change)


def _swapped(rng: np.random.Generator, grid: Size, steps: int) -> Indices:
    """Let cells change places with neighbours: from a place to the cell that comes there."""
    rows, columns = grid
    places = np.arange(rows * columns)
    left = rng.integers(steps, size=rows * columns, endpoint=True)  # steps, of the cell in a place
    for _ in range(steps):
        ways = rng.integers(4, size=rows * columns).tolist()
        for place in rng.permutation(rows * columns).tolist():
            row, column = divmod(place, columns)
            down, across = _NEIGHBOURS[ways[place]]
            other = place + down * columns + across
            is_inside = 0 <= row + down < rows and 0 <= column + across < columns
            if is_inside and left[place] and left[other]:
                places[[place, other]] = places[[other, place]]
                left[[place, other]] = left[[other, place]] - 1
    return places.reshape(rows, columns)


def _rearranged(image: Image, places: Indices) -> Image:
    rows, columns = places.shape
    height, width = image.shape[0] // rows, image.shape[1] // columns
    whole = image[: rows * height, : columns * width]
    cells = whole.reshape(rows, height, columns, width, *image.shape[2:]).swapaxes(1, 2)
    chosen = cells.reshape(rows * columns, height, width, *image.shape[2:])[places]
    result = image.copy()
    result[: rows * height, : columns * width] = chosen.swapaxes(1, 2).reshape(whole.shape)
    return result
