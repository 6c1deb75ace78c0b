"""Images cut into n x n equal cells, row by row."""

from collections.abc import Callable, Sequence

import numpy as np

from fivefold.core.types import Image


def cell_of(image: Image, per_side: int, number: int) -> Image:
    """Give one cell of an image [H, W, C]; a view, so copy before changing.

    Args:
        image: Its sides are multiples of `per_side`.
        per_side: Cells along each side.
        number: From 0 at the top left, row by row.
    """
    height, width = image.shape[0] // per_side, image.shape[1] // per_side
    row, column = divmod(number, per_side)
    top, left = row * height, column * width
    return image[top : top + height, left : left + width]


def cells_of(image: Image, per_side: int) -> list[Image]:
    """Give all cells of an image [H, W, C], row by row; if it is cut, each a copy."""
    numbers = range(per_side**2)
    return [np.ascontiguousarray(cell_of(image, per_side, number)) for number in numbers]


def cell_name(name: str, per_side: int, number: int) -> str:
    """Say what a cell draws its random numbers by; if the image is not cut, by the image's name."""
    return name if per_side == 1 else f"{name}#{number}"


def each_cell(function: Callable[[Image], Image], per_side: int) -> Callable[[Image], Image]:
    """Make what does something with each cell of an image on its own, and puts them together."""
    if per_side == 1:
        return function

    def of_image(image: Image) -> Image:
        return joined_cells([function(cell) for cell in cells_of(image, per_side)], per_side)

    return of_image


def joined_cells(cells: Sequence[Image], per_side: int) -> Image:
    """Put the cells of an image together [H, W, C]."""
    rows = [
        np.concatenate(cells[start : start + per_side], axis=1)
        for start in range(0, per_side**2, per_side)
    ]
    return np.concatenate(rows, axis=0)
