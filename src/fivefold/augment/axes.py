"""Turns, and affine changes of one kind or along one axis.

`Rotate90` is Musket's own, `Rot90` is imgaug 0.3's, the others are 0.4's.
"""

import math
from functools import partial

import numpy as np

from fivefold.augment.box import Matrix
from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Both, Change
from fivefold.augment.draws import (
    Brightness,
    Modes,
    Number,
    Orders,
    Positive,
    ShearAngle,
    Values,
    WholeNumber,
    draw,
    draw_border,
    draw_whole,
)
from fivefold.augment.frames import resized
from fivefold.augment.geometric import about_centre, affine, fitted
from fivefold.augment.warp import Border, Warp
from fivefold.core.types import Image

_QUARTERS: Values = [0.0, 90.0, 180.0, 270.0]
_THIRTY: Values = [-30.0, 30.0]
_HALF_TO_MORE: Values = [0.5, 1.5]
_QUARTER: Values = [-0.25, 0.25]


@augmenters.add(name="Rotate90")
def rotate90(rng: np.random.Generator, height: int, width: int, *, enabled: bool = True) -> Warp:
    """Turn by 0, 90, 180 or 270 degrees, each as likely; a side that is longer is cut off."""
    return affine(rng, height, width, rotate=_QUARTERS if enabled else 0.0)


@augmenters.add(name="Rot90")
def rot90(
    rng: np.random.Generator, height: int, width: int, *, k: WholeNumber, keep_size: bool = True
) -> Change:
    """Turn clockwise by quarters, the whole image with its edges.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        k: How many quarters; `[0, 3]` is any number from 0 to 3.
        keep_size: Whether the next augmenter gets the result in the size that there was.
    """
    quarters = int(draw_whole(rng, k)) % 4
    if quarters == 0:
        return NOTHING
    turn = partial(_turned, quarters=quarters)
    turned = Both(turn, turn, (width, height) if quarters % 2 else (height, width))
    return (turned, resized((height, width))) if keep_size else turned


@augmenters.add(name="Rotate")
def rotate(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    rotate: Number = _THIRTY,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
) -> Warp:
    """Turn clockwise by degrees about the centre; options as in `Affine`."""
    turn = math.radians(draw(rng, rotate))
    matrix = _matrix(math.cos(turn), -math.sin(turn), math.sin(turn), math.cos(turn))
    border = draw_border(rng, order, cval, mode)
    return _placed(matrix, (height, width), border, fit_output=fit_output)


@augmenters.add(name="ScaleX")
def scale_x(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: Positive = _HALF_TO_MORE,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
) -> Warp:
    """Scale the width about the centre; above 1 enlarges; options as in `Affine`."""
    matrix = _matrix(draw(rng, scale), 0.0, 0.0, 1.0)
    border = draw_border(rng, order, cval, mode)
    return _placed(matrix, (height, width), border, fit_output=fit_output)


@augmenters.add(name="ScaleY")
def scale_y(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: Positive = _HALF_TO_MORE,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
) -> Warp:
    """Scale the height about the centre; above 1 enlarges; options as in `Affine`."""
    matrix = _matrix(1.0, 0.0, 0.0, draw(rng, scale))
    border = draw_border(rng, order, cval, mode)
    return _placed(matrix, (height, width), border, fit_output=fit_output)


@augmenters.add(name="ShearX")
def shear_x(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    shear: ShearAngle = _THIRTY,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
) -> Warp:
    """Push rows sideways: verticals tilt by degrees, rows stay; options as in `Affine`."""
    matrix = _matrix(1.0, -math.tan(math.radians(draw(rng, shear))), 0.0, 1.0)
    border = draw_border(rng, order, cval, mode)
    return _placed(matrix, (height, width), border, fit_output=fit_output)


@augmenters.add(name="ShearY")
def shear_y(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    shear: ShearAngle = _THIRTY,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
) -> Warp:
    """Push columns up and down: horizontals tilt by degrees; options as in `Affine`."""
    matrix = _matrix(1.0, 0.0, math.tan(math.radians(draw(rng, shear))), 1.0)
    border = draw_border(rng, order, cval, mode)
    return _placed(matrix, (height, width), border, fit_output=fit_output)


@augmenters.add(name="TranslateX")
def translate_x(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    percent: Number | None = None,
    px: WholeNumber | None = None,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
) -> Warp:
    """Move to the right by a part of the width, a quarter at most if nothing is set, or by pixels.

    Raises:
        ValueError: If both are set.
    """
    pixels = _moved_by(rng, width, percent, px)
    border = draw_border(rng, order, cval, mode)
    return Warp(_matrix(1.0, 0.0, 0.0, 1.0, right=pixels), border)


@augmenters.add(name="TranslateY")
def translate_y(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    percent: Number | None = None,
    px: WholeNumber | None = None,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
) -> Warp:
    """Move down by a part of the height, a quarter at most if nothing is set, or by pixels.

    Raises:
        ValueError: If both are set.
    """
    pixels = _moved_by(rng, height, percent, px)
    border = draw_border(rng, order, cval, mode)
    return Warp(_matrix(1.0, 0.0, 0.0, 1.0, down=pixels), border)


def _placed(matrix: Matrix, size: tuple[int, int], border: Border, *, fit_output: bool) -> Warp:
    moved = about_centre(matrix, *size)
    return Warp(fitted(moved, *size) if fit_output else moved, border)


def _moved_by(
    rng: np.random.Generator, total: int, percent: Values | None, px: Values | None
) -> float:
    if percent is not None and px is not None:
        msg = "one of percent and px, got both"
        raise ValueError(msg)
    if px is not None:
        return draw_whole(rng, px)
    return round(draw(rng, _QUARTER if percent is None else percent) * total)


def _turned(image: Image, quarters: int) -> Image:
    return np.ascontiguousarray(np.rot90(image, -quarters))


def _matrix(
    a: float, b: float, c: float, d: float, *, right: float = 0.0, down: float = 0.0
) -> Matrix:
    return np.array(((a, b, right), (c, d, down), (0.0, 0.0, 1.0)))
