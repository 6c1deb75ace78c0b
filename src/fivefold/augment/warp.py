"""Warps: where pixels go, and what fills the places that nothing comes to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.augment.box import Matrix, as_pixels, find_box, mirrored
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Maps: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
Mode: TypeAlias = Literal["constant", "edge", "symmetric", "reflect", "wrap"]

# OpenCV's names of them
_INTERPOLATIONS = {0: "INTER_NEAREST", 1: "INTER_LINEAR", 3: "INTER_CUBIC"}
_BORDERS = {
    "constant": "BORDER_CONSTANT",
    "edge": "BORDER_REPLICATE",
    "symmetric": "BORDER_REFLECT",
    "reflect": "BORDER_REFLECT_101",
    "wrap": "BORDER_WRAP",
}


@dataclass(frozen=True)
class Border:
    """How pixels between and beyond the known ones are made.

    Attributes:
        order: 0 nearest, 1 linear, 3 cubic.
        mode: What lies beyond the edge, in scikit-image's words.
        cval: The value for `constant`, 0-255.
    """

    order: int = 1
    mode: str = "constant"
    cval: float = 0.0


DARK = Border()
"""Linear, and 0 beyond the edge."""


def of_mask(border: Border) -> Border:
    """Say what a mask has where its image has a border: whole values, and 0 where it has a colour.

    A mask holds class numbers, between which there is nothing to mix. Where the image shows its own
    pixels again beyond the edge, as mirrored, the mask does so too.
    """
    return Border(order=0, mode=border.mode, cval=0.0)


@dataclass(frozen=True, eq=False)
class Warp:
    """One geometric change.

    Attributes:
        matrix: Where a point (x, y, 1) of the input lies in the output [3, 3]; the centre of the
            first pixel is (0, 0).
        border: None where no pixel has to be made up, as in a flip.
    """

    matrix: Matrix
    border: Border | None = None


def fuse_two(first: Warp, second: Warp) -> Warp | None:
    """Compose a warp and the one after it; None if their borders differ."""
    if first.border and second.border and first.border != second.border:
        return None
    return Warp(second.matrix @ first.matrix, first.border or second.border)


def apply(image: Image, warp: Warp) -> Image:
    """Warp an image [H, W] or [H, W, C] of any number of channels.

    Flips copy pixels, so they are exact; the identity returns the image itself.
    """
    # cos(90°) is 6e-17: without rounding, a quarter turn would not be recognised as exact.
    matrix = np.round(warp.matrix[:2], 12)
    flips = _as_flips(matrix, *image.shape[:2])
    if flips == (False, False):
        return image
    if flips:
        rows, columns = flips
        return by_channels(image, partial(mirrored, rows=rows, columns=columns))
    height, width = image.shape[:2]
    return _moved(image, matrix, warp.border or DARK, (height, width))


def apply_to_larger(picture: Image, warp: Warp, height: int, width: int) -> Image:
    """Warp an image of which there is a larger picture: what is enlarged keeps its detail.

    Args:
        picture: Pixels [any, any, C].
        warp: For the image.
        height: Of the image, and of what comes out, in pixels.
        width: Likewise.
    """
    down, across = height / picture.shape[0], width / picture.shape[1]
    # Where a point of the picture lies in the image.
    shrink = ((across, 0, across / 2 - 0.5), (0, down, down / 2 - 0.5), (0, 0, 1))
    matrix = np.round((warp.matrix @ np.array(shrink))[:2], 12)
    return _moved(picture, matrix, warp.border or DARK, (height, width))


def _moved(image: Image, matrix: Matrix, border: Border, size: tuple[int, int]) -> Image:
    """Warp an image to a height and width by a matrix [2, 3] that is no mere flip."""
    box = find_box(matrix, image.shape[0], image.shape[1], size)
    if box and border.order == 1:
        mode = getattr(cv2, _BORDERS[border.mode])
        return by_channels(image, partial(box.cut, border=mode, value=border.cval))
    if box:
        matrix = box.matrix
    if image.shape[2:] == (3,) and border.order != 3:
        return _warped_as_four(image, matrix, border, size)
    return by_channels(image, partial(_warped, matrix=matrix, border=border, size=size))


def remap(image: Image, maps: Maps, border: Border) -> Image:
    """Take each pixel of an image [H, W] or [H, W, C] from where two maps say.

    Args:
        image: Pixels of any number of channels.
        maps: x and y in the image, each float32 [height, width of the result].
        border: How pixels between and beyond the known ones are made.
    """

    def change(part: Image) -> Image:
        moved = cv2.remap(
            part,
            *maps,
            interpolation=getattr(cv2, _INTERPOLATIONS[border.order]),
            borderMode=getattr(cv2, _BORDERS[border.mode]),
            borderValue=(border.cval,) * 4,
        )
        return as_pixels(moved)

    return by_channels(image, change)


def by_channels(image: Image, change: Callable[[Image], Image]) -> Image:
    """Apply a function of OpenCV, which knows at most 4 channels, to any number of them."""
    if image.ndim == 2:
        return change(image)
    groups = [image[..., i : i + 4] for i in range(0, image.shape[2], 4)]
    changed = [change(np.ascontiguousarray(group)) for group in groups]
    # OpenCV drops the last axis of a single channel.
    stacked = [part if part.ndim == 3 else part[..., None] for part in changed]
    return stacked[0] if len(stacked) == 1 else np.concatenate(stacked, axis=2)


def _warped(image: Image, matrix: Matrix, border: Border, size: tuple[int, int]) -> Image:
    height, width = size
    warped = cv2.warpAffine(
        image,
        matrix,
        (width, height),
        flags=getattr(cv2, _INTERPOLATIONS[border.order]),
        borderMode=getattr(cv2, _BORDERS[border.mode]),
        borderValue=(border.cval,) * 4,
    )
    return as_pixels(warped)


def _warped_as_four(image: Image, matrix: Matrix, border: Border, size: tuple[int, int]) -> Image:
    """Warp RGB with a fourth channel beside it: to the same bits in half the time."""
    four = as_pixels(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA))
    return as_pixels(cv2.cvtColor(_warped(four, matrix, border, size), cv2.COLOR_RGBA2RGB))


def _as_flips(matrix: Matrix, height: int, width: int) -> tuple[bool, bool] | None:
    """Say whether a matrix mirrors rows and columns; None if it does anything else."""
    (a, b, x), (c, d, y) = matrix.tolist()
    down = {(1.0, 0.0): False, (-1.0, height - 1.0): True}.get((d, y))
    across = {(1.0, 0.0): False, (-1.0, width - 1.0): True}.get((a, x))
    if b != 0 or c != 0 or down is None or across is None:
        return None
    return down, across
