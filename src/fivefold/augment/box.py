"""Warps that only cut out, enlarge and mirror: a box of whole pixels, resized.

Of large images such a warp takes whole pixels of the input, as every random crop does: that is
twice as fast as sampling between them, and moves an edge by half a pixel at most.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Matrix: TypeAlias = NDArray[np.float64]

_FEWEST_PIXELS = 128  # in smaller images half a pixel would be a lot
_LARGEST_PART, _SMALLEST_PART = 2.0, 0.125  # of the side: what is outside must not fill the memory


class Side(NamedTuple):
    """What is taken along one axis.

    Attributes:
        start: First pixel; negative outside.
        length: How many pixels.
        total: How many there are.
        become: How many those that are taken become.
        mirrored: Whether they come in reverse.
    """

    start: int
    length: int
    total: int
    become: int
    mirrored: bool

    @property
    def inside(self) -> slice:
        """The pixels that exist."""
        return slice(max(self.start, 0), min(self.start + self.length, self.total))

    @property
    def outside(self) -> tuple[int, int]:
        """How many pixels have to be made up before and after those that exist."""
        return max(-self.start, 0), max(self.start + self.length - self.total, 0)

    @property
    def line(self) -> tuple[float, float]:
        """Factor and shift: where a pixel's centre lies in the output."""
        factor = self.become / self.length
        shift = factor * (0.5 - self.start) - 0.5
        return (-factor, self.become - 1 - shift) if self.mirrored else (factor, shift)


class Box(NamedTuple):
    """A rectangle of whole pixels that becomes the whole image.

    Attributes:
        rows: What is taken of the height.
        columns: What is taken of the width.
    """

    rows: Side
    columns: Side

    @property
    def matrix(self) -> Matrix:
        """Where a point of the input lies in the output [2, 3]."""
        (across, right), (down, below) = self.columns.line, self.rows.line
        return np.array(((across, 0.0, right), (0.0, down, below)))

    def cut(self, image: Image, border: int, value: float) -> Image:
        """Cut the box out of an image of at most 4 channels, and resize it by linear interpolation.

        Args:
            image: Pixels [H, W] or [H, W, C].
            border: OpenCV's word for what lies outside.
            value: The value outside, 0-255, if the border is a constant one.
        """
        rows, columns = self.rows, self.columns
        padding = (*rows.outside, *columns.outside)
        # What a mirror or a repetition shows may lie outside the box.
        others = (cv2.BORDER_REFLECT, cv2.BORDER_REFLECT_101, cv2.BORDER_WRAP)
        if border in others and any(padding):
            image = _padded(image, padding, border, value)
            top, left = max(rows.start, 0), max(columns.start, 0)
            image = image[top : top + rows.length, left : left + columns.length]
        else:
            image = image[rows.inside, columns.inside]
            if any(padding):
                image = _padded(image, padding, border, value)
        if (rows.length, columns.length) != (rows.become, columns.become):
            size = (columns.become, rows.become)
            image = as_pixels(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
        return mirrored(image, rows=rows.mirrored, columns=columns.mirrored)


def find_box(
    matrix: Matrix, height: int, width: int, become: tuple[int, int] | None = None
) -> Box | None:
    """Find the box of whole pixels that a warp takes; None if it is no such warp.

    Args:
        matrix: Where a point (x, y, 1) of the input lies in the output [2, 3].
        height: The image's height in pixels.
        width: The image's width in pixels.
        become: The output's height and width; the input's if not given.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    if b != 0 or c != 0 or min(height, width) < _FEWEST_PIXELS:
        return None
    down, across = become or (height, width)
    rows, columns = _side(d, y, height, down), _side(a, x, width, across)
    return Box(rows, columns) if rows and columns else None


def mirrored(image: Image, *, rows: bool, columns: bool) -> Image:
    """Reverse the order of the rows, of the columns or of both."""
    if not (rows or columns):
        return image
    # In OpenCV's code 0 is upside down, 1 left to right, -1 both.
    return as_pixels(cv2.flip(image, -1 if rows and columns else int(columns)))


def as_pixels(values: AnyArray) -> Image:
    """Call what OpenCV has made of pixels by their type; nothing is copied."""
    return values.astype(np.uint8, copy=False)


def _padded(image: Image, sides: Sequence[int], border: int, value: float) -> Image:
    """Make up pixels above, below, to the left and to the right."""
    top, bottom, left, right = sides
    padded = cv2.copyMakeBorder(image, top, bottom, left, right, border, value=(value,) * 4)
    return as_pixels(padded)


def _side(factor: float, shift: float, total: int, become: int) -> Side | None:
    if factor == 0 or not _SMALLEST_PART <= become / abs(factor) / total <= _LARGEST_PART:
        return None
    exact = become / abs(factor)
    centre = (become / 2 - 0.5 - shift) / factor + 0.5
    length = round(exact)
    side = Side(round(centre - length / 2), length, total, become, mirrored=factor < 0)
    return side if side.inside.start < side.inside.stop else None
