"""Augmenters that blur; beyond the edge the image is mirrored.

Names, options and defaults are those of imgaug 0.3.
"""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, cast

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels
from fivefold.augment.convolve import weigh
from fivefold.augment.draws import (
    Number,
    Positive,
    Values,
    between,
    draw,
    draw_whole,
    whole_between,
)
from fivefold.augment.per_channel import as_bytes, channel_by_channel
from fivefold.augment.warp import by_channels
from fivefold.core.optional import late
from fivefold.core.types import Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

_WHOLE = "a whole number from 0 to 255"


def _is_size(value: float) -> bool:
    return 0 <= value <= 255 and float(value).is_integer()


Sigma = Annotated[Values, between(0, 100)]
Size = Annotated[Values, whole_between(0, 255)]
OddSize = Annotated[Values, whole_between(0, 255)]
Length = Annotated[Values, whole_between(3, 255)]


def _as_sides(value: Any) -> Any:
    nested = isinstance(value, list) and any(isinstance(item, list) for item in value)
    for item in value if nested else [value]:
        numbers = item if isinstance(item, list) else [item]
        ok = [
            isinstance(n, int | float) and not isinstance(n, bool) and _is_size(n) for n in numbers
        ]
        if not ok or not all(ok) or (nested and len(value) != 2):
            msg = f"{_WHOLE}, a range [a, b], a list to choose from, or [height, width] of these"
            raise ValueError(msg)
    return value


Sides: TypeAlias = Annotated[Values | list[Values], BeforeValidator(_as_sides)]


@augmenters.add(name="GaussianBlur")
def gaussian_blur(
    rng: np.random.Generator, height: int, width: int, *, sigma: Sigma = 0.0
) -> Change:
    """Blur by a bell curve.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        sigma: Standard deviation of the curve in pixels; it is cut off at three of them.
    """
    drawn = draw(rng, sigma)
    if drawn < 1e-3:
        return NOTHING

    def change(image: Image) -> Image:
        blurred = cv2.GaussianBlur(image, (0, 0), drawn, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(blurred, np.uint8)

    return Pixels(partial(by_channels, change=change))


@augmenters.add(name="AverageBlur")
def average_blur(rng: np.random.Generator, height: int, width: int, *, k: Sides = 1) -> Change:
    """Replace each pixel by the mean of a box around it.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        k: Side of the box in pixels, or `[[a, b], [c, d]]`: ranges of its height and its width.
    """
    high, wide = _sides(rng, k)
    if max(high, wide) <= 1:
        return NOTHING
    size = (max(wide, 1), max(high, 1))

    def change(image: Image) -> Image:
        # Of bytes OpenCV's mean is wrong by up to 1.
        values = image.astype(np.float32)
        return as_bytes(np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT_101)))

    return Pixels(partial(by_channels, change=change))


@augmenters.add(name="MedianBlur")
def median_blur(rng: np.random.Generator, height: int, width: int, *, k: OddSize = 1) -> Change:
    """Replace each pixel by the median of the square around it.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        k: Side of the square in pixels; an even one that was drawn from a range grows by 1.

    Raises:
        ValueError: If `k` is one even number above 0.
    """
    if not isinstance(k, list) and k and k % 2 == 0:
        msg = f"k: an odd number, got {k:g}: use {k - 1:g} or {k + 1:g}"
        raise ValueError(msg)
    side = int(draw_whole(rng, k))
    side += 1 - side % 2
    if side <= 1:
        return NOTHING
    return Pixels(
        partial(by_channels, change=lambda image: np.asarray(cv2.medianBlur(image, side), np.uint8))
    )


@augmenters.add(name="BilateralBlur")
def bilateral_blur(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    d: Size = 1,
    sigma_color: Positive = [10.0, 250.0],  # noqa: B006  read only
    sigma_space: Positive = [10.0, 250.0],  # noqa: B006  read only
) -> Change:
    """Blur where neighbours are alike, and keep edges.

    The first three channels decide together what is alike, any further ones each alone.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        d: Diameter of what is around a pixel, in pixels.
        sigma_color: Standard deviation of brightness within which neighbours are alike.
        sigma_space: Standard deviation of the distance in pixels.
    """
    diameter = int(draw_whole(rng, d))
    spreads = (draw(rng, sigma_color), draw(rng, sigma_space))
    if diameter <= 1:
        return NOTHING

    def change(image: Image) -> Image:
        blurred = cv2.bilateralFilter(image, diameter, *spreads, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(blurred, np.uint8)

    def in_colour(image: Image) -> Image:
        if image.shape[2] < 3:
            return channel_by_channel(image, change)
        colours = change(np.ascontiguousarray(image[..., :3]))
        if image.shape[2] == 3:
            return colours
        return np.concatenate([colours, channel_by_channel(image[..., 3:], change)], axis=2)

    return Pixels(in_colour)


@augmenters.add(name="MotionBlur")
def motion_blur(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    k: Length = 5,
    angle: Number = [0.0, 360.0],  # noqa: B006  read only
    direction: Number = [-1.0, 1.0],  # noqa: B006  read only
    order: Literal[0, 1] = 1,
) -> Change:
    """Blur as a camera does that moves.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        k: Length of the way in pixels; an even one grows by 1.
        angle: Degrees of the way from the vertical, clockwise.
        direction: -1 backward, 0 even, 1 forward: which end of the way counts more.
        order: How the way is turned: 0 nearest, 1 linear.
    """
    length = int(draw_whole(rng, k))
    path = way(length + 1 - length % 2, draw(rng, angle), draw(rng, direction), order)
    return Pixels(partial(by_channels, change=partial(weigh, matrix=path)))


def way(length: int, angle: float, direction: float, order: int = 1) -> Floats:
    """Make the weights of a straight way through a square [length, length]; their sum is 1."""
    matrix = np.zeros((length, length), np.float32)
    first = (min(max(direction, -1.0), 1.0) + 1) / 2
    matrix[:, length // 2] = np.linspace(first, 1 - first, num=length)
    middle = ((length - 1) / 2,) * 2
    turn = cv2.getRotationMatrix2D(middle, -angle, 1.0)
    how = cv2.INTER_LINEAR if order else cv2.INTER_NEAREST
    turned = cv2.warpAffine(matrix, turn, (length, length), flags=how)
    return np.asarray(turned / turned.sum(), np.float32)


def _sides(rng: np.random.Generator, values: Values | list[Values]) -> tuple[int, int]:
    if isinstance(values, list) and any(isinstance(item, list) for item in values):
        high, wide = (int(draw_whole(rng, item)) for item in values)
        return high, wide
    both = int(draw_whole(rng, cast("Values", values)))  # no list of lists any more
    return both, both
