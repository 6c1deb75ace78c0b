"""Random maps of an image's pixels, fine or in blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from fivefold.augment.draws import Values, draw, draw_whole, number_option, whole_between
from fivefold.core.types import AnyArray

WholeSize = Annotated[
    Values, number_option("a whole number above 0", lambda v: v >= 1 and float(v).is_integer())
]
Repeats = Annotated[Values, whole_between(1, 100)]
Cells = Annotated[Values, whole_between(1, 1000)]
PartSize = Annotated[Values, number_option("a number above 0, up to 1", lambda v: 0 < v <= 1)]
MinSize = Annotated[int, Field(ge=1)]

MakeMap: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], AnyArray]


@dataclass(frozen=True)
class Grid:
    """A coarse grid that a random map is drawn on, before its cells grow to blocks of pixels.

    Attributes:
        rows: How many cells there are from top to bottom, at least 1.
        columns: How many from left to right.
    """

    rows: int
    columns: int

    def map(self, rng: np.random.Generator, shape: tuple[int, int, int], make: MakeMap) -> AnyArray:
        """Draw a map and enlarge it to a shape [H, W, C], each pixel taking the nearest cell."""
        height, width, channels = shape
        small = make(rng, (self.rows, self.columns, channels))
        rows = np.arange(height) * self.rows // height
        columns = np.arange(width) * self.columns // width
        return small[rows[:, None], columns[None, :]]


def draw_grid(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[Values | None, Values | None],
    min_size: int,
) -> Grid:
    """Draw how many cells there are; rows and columns each their own number.

    Args:
        rng: Where the numbers come from.
        size: Height and width of the image in pixels.
        cells: `size_px`, cells along each side, or `size_percent`, as part of the pixels there.
        min_size: The fewest cells along a side.

    Raises:
        ValueError: If not exactly one of the two is set.
    """
    size_px, size_percent = cells
    if size_px is not None and size_percent is None:
        drawn = [draw_whole(rng, size_px), draw_whole(rng, size_px)]
    elif size_percent is not None and size_px is None:
        drawn = [draw(rng, size_percent) * side for side in size]
    else:
        msg = "exactly one of size_px and size_percent"
        raise ValueError(msg)
    rows, columns = (
        min(max(int(number), min_size), side) for number, side in zip(drawn, size, strict=True)
    )
    return Grid(rows, columns)
