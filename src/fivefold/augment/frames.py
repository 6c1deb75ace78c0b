"""Cutting, padding and resizing: changes after which an image has another height and width."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import numpy as np

from fivefold.augment.box import as_pixels
from fivefold.augment.changes import Both, Change, Size
from fivefold.augment.draws import Values, draw, draw_one, names_option
from fivefold.augment.preprocess import resize
from fivefold.augment.warp import by_channels
from fivefold.core.masks import as_nearest
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

PadMode: TypeAlias = Literal[
    "constant",
    "edge",
    "linear_ramp",
    "maximum",
    "mean",
    "median",
    "minimum",
    "reflect",
    "symmetric",
    "wrap",
]
"""NumPy's words for what padding holds."""
PadModes = Annotated[str | list[str], names_option(PadMode)]

_COPIES = ("edge", "reflect", "symmetric", "wrap")
"""Modes whose padding shows pixels of the image again."""

Interpolation: TypeAlias = Literal["nearest", "linear", "area", "cubic"]

FourWhole: TypeAlias = tuple[int, int, int, int]
"""Rows above, columns to the right, rows below, columns to the left."""


@dataclass(frozen=True)
class Frame:
    """A window on an image: how much is padded on each side, or cut off where below 0.

    Attributes:
        sides: Rows above, columns to the right, rows below, columns to the left.
        mode: What padding holds.
        value: The brightness of `constant` and the end of `linear_ramp`, 0-255.
    """

    sides: FourWhole
    mode: str = "constant"
    value: int = 0

    def show(self, image: Image) -> Image:
        """Cut and pad an image [H, W] or [H, W, C]."""
        height, width = image.shape[:2]
        top, right, bottom, left = self.sides
        rows = slice(max(-top, 0), height - max(-bottom, 0))
        columns = slice(max(-left, 0), width - max(-right, 0))
        kept = image[rows, columns]
        padding = [[max(top, 0), max(bottom, 0)], [max(left, 0), max(right, 0)]]
        if not any(map(sum, padding)):
            return np.ascontiguousarray(kept)
        padding += [[0, 0]] * (image.ndim - 2)
        words: dict[str, Any] = {
            "constant": {"constant_values": self.value},
            "linear_ramp": {"end_values": self.value},
        }
        mode: Any = self.mode
        return as_pixels(np.pad(kept, padding, mode=mode, **words.get(mode, {})))

    def show_mask(self, mask: Image) -> Image:
        """Cut a mask, and pad it with 0, or with its own values where the image is so padded."""
        return Frame(self.sides, self.mode if self.mode in _COPIES else "constant").show(mask)

    def size_of(self, size: Size) -> Size:
        """Compute height and width of what it shows."""
        top, right, bottom, left = self.sides
        return size[0] + top + bottom, size[1] + left + right


def padded(
    rng: np.random.Generator, sides: FourWhole, mode: str | list[str], value: Values
) -> Frame:
    """Draw what the padding of a frame holds.

    Args:
        rng: Where the numbers come from.
        sides: How much is padded on each.
        mode: In NumPy's words.
        value: Brightness, 0-255.
    """
    return Frame(sides, draw_one(rng, mode), round(draw(rng, value)))


def framed(frame: Frame, size: Size, *, keep_size: bool = False) -> Change:
    """Cut and pad, and bring the result back to its height and width if that is to be kept."""
    if not any(frame.sides):
        return ()
    shown = Both(frame.show, frame.show_mask, frame.size_of(size))
    return (shown, resized(size)) if keep_size else shown


def resized(size: Size, interpolation: str | None = None) -> Both:
    """Bring an image to a height and a width.

    Args:
        size: Height and width in pixels.
        interpolation: How; None averages what shrinks and takes cubics for what grows.
    """
    height, width = size
    change: Callable[[Image], Image] = partial(resize, height=height, width=width)
    if interpolation is not None:
        change = partial(_resized, height=height, width=width, interpolation=interpolation)
    return Both(change, partial(as_nearest, height=height, width=width), size)


def _resized(image: Image, height: int, width: int, interpolation: str) -> Image:
    if image.shape[:2] == (height, width):
        return image
    if interpolation == "nearest":
        return as_nearest(image, height, width)
    flag = getattr(cv2, f"INTER_{interpolation.upper()}")

    def change(part: Image) -> Image:
        return as_pixels(cv2.resize(part, (width, height), interpolation=flag))

    return by_channels(image, change)
