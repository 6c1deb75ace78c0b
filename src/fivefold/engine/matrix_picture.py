"""A confusion matrix as a picture that is drawn in milliseconds."""

import io
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.types import Image, Indices
from fivefold.engine.captions import SMALL, font, shortened

MOST = 800
"""Classes that can be drawn: one pixel for each has to be left."""

_SIDE, _LARGEST, _GAP = 800, 40, 8  # pixels
_NUMBERED, _NAMED = 24, 14  # pixels that a cell with a number, or with a name beside it, has
_NAME = 110  # pixels
_RIGHT, _WRONG, _PAPER, _INK = (11, 110, 153), (200, 55, 45), (247, 247, 247), "#1c1c1e"
_SOFT = "#6e6e73"
_Corner: TypeAlias = tuple[int, int]


def draw_matrix(counts: Indices, class_names: Sequence[str]) -> bytes:
    """Draw how often each true class (row) was taken for each class (column).

    The colour of a cell is its share of its row: blue for what is right, red for what is not.

    Args:
        counts: Samples [C, C].
        class_names: Of the rows and columns, at most `MOST`.

    Returns:
        A PNG file of at most a thousand pixels on each side; the same counts give the same bytes.
    """
    cell = min(max(_SIDE // len(counts), 1), _LARGEST)
    margin = _NAME + 2 * _GAP if cell >= _NAMED else 3 * _GAP
    colors = np.repeat(np.repeat(_colors(counts), cell, axis=0), cell, axis=1)
    height, width = colors.shape[:2]
    sheet = Pillow.new("RGB", (margin + width + _GAP, height + margin + _GAP), "white")
    sheet.paste(Pillow.fromarray(colors), (margin, _GAP))
    draw = ImageDraw.Draw(sheet)
    if cell >= _NUMBERED:
        _write_counts(draw, counts, (margin, _GAP), cell)
    if cell >= _NAMED:
        _write_names(sheet, class_names, (margin, _GAP), cell)
        draw.text(
            (2 * _GAP, height + 3 * _GAP), "rows: true\ncolumns: predicted", _SOFT, font(SMALL)
        )
    else:
        draw.text((margin, height + 2 * _GAP), "rows: true, columns: predicted", _SOFT, font(SMALL))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=1)  # a quarter of the usual level's time
    return file.getvalue()


def _colors(counts: Indices) -> Image:
    """Give each cell its colour [C, C, 3]; what is rare and wrong is seen too."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(counts), dtype=bool)
    strength = np.where(right, shares, np.minimum(1.25 * np.sqrt(shares), 1))[:, :, None]
    paper, strong = np.array(_PAPER), np.where(right[:, :, None], _RIGHT, _WRONG)
    colors: Image = (paper + strength * (strong - paper)).round().astype(np.uint8)
    return colors


def _write_counts(draw: ImageDraw.ImageDraw, counts: Indices, corner: _Corner, cell: int) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, column in np.argwhere(counts).tolist():
        middle = (corner[0] + (column + 0.5) * cell, corner[1] + (row + 0.5) * cell)
        strong = shares[row, column] > (0.5 if row == column else 0.16)
        text = shortened(str(counts[row, column]), cell)
        draw.text(middle, text, "white" if strong else _INK, font(SMALL), anchor="mm")


def _write_names(
    sheet: Pillow.Image, class_names: Sequence[str], corner: _Corner, cell: int
) -> None:
    """Write names of true classes to the left of rows, of predicted ones below columns."""
    draw, side = ImageDraw.Draw(sheet), cell * len(class_names)
    for number, name in enumerate(class_names):
        text = shortened(name, _NAME)
        middle = round((number + 0.5) * cell)
        draw.text((corner[0] - _GAP, corner[1] + middle), text, _INK, font(SMALL), anchor="rm")
        label = Pillow.new("RGB", (_NAME, cell), "white")
        ImageDraw.Draw(label).text((_NAME, cell / 2), text, _INK, font(SMALL), anchor="rm")
        turned = label.transpose(Pillow.Transpose.ROTATE_90)
        sheet.paste(turned, (corner[0] + number * cell, corner[1] + side + _GAP))
