"""Augmenters that move pixels: flips and affine changes, as matrices about the centre.

The defaults, names and signs are those of imgaug 0.3.
"""

import math
from typing import Literal

import numpy as np

from fivefold.augment.box import Matrix
from fivefold.augment.catalog import augmenters
from fivefold.augment.draws import (
    AxisFactor,
    AxisNumber,
    AxisWhole,
    Brightness,
    Modes,
    Number,
    Orders,
    Probability,
    ShearAngle,
    draw,
    draw_axes,
    draw_border,
    draw_whole,
)
from fivefold.augment.warp import Warp


@augmenters.add("HorizontalFlip", name="Fliplr")
def fliplr(rng: np.random.Generator, height: int, width: int, *, p: Probability) -> Warp:
    """Mirror left and right, in a share `p` of the images."""
    sign = -1.0 if rng.random() < p else 1.0
    return Warp(about_centre(_matrix((sign, 0.0, 0.0), (0.0, 1.0, 0.0)), height, width))


@augmenters.add("VerticalFlip", name="Flipud")
def flipud(rng: np.random.Generator, height: int, width: int, *, p: Probability) -> Warp:
    """Mirror top and bottom, in a share `p` of the images."""
    sign = -1.0 if rng.random() < p else 1.0
    return Warp(about_centre(_matrix((1.0, 0.0, 0.0), (0.0, sign, 0.0)), height, width))


@augmenters.add(name="Affine")
def affine(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: AxisFactor = 1.0,
    translate_percent: AxisNumber = 0.0,
    translate_px: AxisWhole = 0,
    rotate: Number = 0.0,
    shear: ShearAngle = 0.0,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    fit_output: bool = False,
    backend: Literal["auto", "cv2"] = "auto",
) -> Warp:
    """Scale, shear, rotate and move about the centre.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        scale: Factor; above 1 enlarges.
        translate_percent: Part of the width and height, to the right and down, in whole pixels.
        translate_px: Pixels, to the right and down; instead of `translate_percent`.
        rotate: Degrees, clockwise.
        shear: Degrees between the old and the new vertical.
        order: Interpolation: 0 nearest, 1 linear, 3 cubic.
        cval: Brightness of what comes in from outside, 0-255, when `mode` is `constant`.
        mode: What lies outside: `constant`, `edge`, `symmetric`, `reflect` or `wrap`.
        fit_output: Whether the whole result is brought into the image, however far it reaches.
        backend: What warps: OpenCV.

    Raises:
        ValueError: If both kinds of translation are set.
    """
    del backend  # both names mean OpenCV; scikit-image, the third of imgaug, is not there
    if translate_percent != 0 and translate_px != 0:
        msg = "one of translate_percent and translate_px, got both"
        raise ValueError(msg)
    factors = draw_axes(rng, scale, 1.0)
    parts = draw_axes(rng, translate_percent, 0.0)
    pixels = draw_axes(rng, translate_px, 0, draw_whole)
    matrix = _linear(factors, math.radians(draw(rng, rotate)), math.radians(draw(rng, shear)))
    matrix[0, 2] = pixels[0] + round(parts[0] * width)
    matrix[1, 2] = pixels[1] + round(parts[1] * height)
    border = draw_border(rng, order, cval, mode)
    matrix = about_centre(matrix, height, width)
    return Warp(fitted(matrix, height, width) if fit_output else matrix, border)


def about_centre(matrix: Matrix, height: int, width: int) -> Matrix:
    """Move a change about the point (0, 0) to the centre of an image [3, 3]."""
    # Plain numbers: this is done for every image, and NumPy is slow on so few.
    (a, b, right), (c, d, down), _ = matrix.tolist()
    x, y = (width - 1) / 2, (height - 1) / 2
    return _matrix((a, b, x + right - a * x - b * y), (c, d, y + down - c * x - d * y))


def fitted(matrix: Matrix, height: int, width: int) -> Matrix:
    """Follow a change by one that brings all four corners to the image's edges [3, 3]."""
    edges = ((-0.5, -0.5), (width - 0.5, -0.5), (-0.5, height - 0.5), (width - 0.5, height - 0.5))
    x, y, _ = matrix @ np.array([(across, down, 1.0) for across, down in edges]).T
    across, down = width / np.ptp(x), height / np.ptp(y)
    back = _matrix((across, 0.0, -across * x.min() - 0.5), (0.0, down, -down * y.min() - 0.5))
    return back @ matrix


def _linear(factors: tuple[float, float], turn: float, shear: float) -> Matrix:
    x, y = factors
    return _matrix(
        (x * math.cos(turn), -y * math.sin(turn + shear), 0.0),
        (x * math.sin(turn), y * math.cos(turn + shear), 0.0),
    )


def _matrix(first: tuple[float, ...], second: tuple[float, ...]) -> Matrix:
    return np.array((first, second, (0.0, 0.0, 1.0)))
