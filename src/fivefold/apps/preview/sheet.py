"""The sheet of a preview: a row for each sample, what it is called to the left of its pictures."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.types import Image
from fivefold.engine.captions import SIZE, SMALL, font, shortened, shortened_in_the_middle

_MARGIN, _GAP, _CUT_GAP, _CUT, _HEAD = 16, 8, 16, 3, 26
_INK, _SOFT = "#1c1c1e", "#6e6e73"
_SMALLEST, _LARGEST, _LARGEST_CUT = 112, 224, 336  # pixels of a picture's longer side
_LABELS = (64, 240)  # pixels of the column of names

Legend: TypeAlias = Callable[[int], Pillow.Image]


@dataclass(frozen=True)
class Row:
    """A sample.

    Attributes:
        title: Its labels; empty without.
        sample_id: Stands below them.
        pictures: Each of one cell [H, W, C], or of all cells of an image, row by row.
    """

    title: str
    sample_id: str
    pictures: Sequence[Sequence[Image]]


@dataclass(frozen=True)
class _Frame:
    """Where things are: sizes are (width, height), places (x, y), in pixels of the sheet."""

    cell: tuple[int, int]
    per_side: int
    labels: int
    plain: int

    @property
    def gap(self) -> int:
        """How far pictures are from each other, so that cells are closer than they."""
        return _CUT_GAP if self.per_side > 1 else _GAP

    @property
    def picture(self) -> tuple[int, int]:
        gaps = (self.per_side - 1) * _CUT
        return self.cell[0] * self.per_side + gaps, self.cell[1] * self.per_side + gaps

    def left(self, column: int) -> int:
        gaps = column + 1 + (column >= self.plain)
        return _MARGIN + self.labels + gaps * self.gap + column * self.picture[0]

    def top(self, row: int) -> int:
        return _MARGIN + _HEAD + row * (self.picture[1] + self.gap)

    def cell_place(self, number: int) -> tuple[int, int]:
        row, column = divmod(number, self.per_side)
        return column * (self.cell[0] + _CUT), row * (self.cell[1] + _CUT)


def draw_sheet(
    heads: Sequence[str], rows: Sequence[Row], *, plain: int, legend: Legend | None = None
) -> bytes:
    """Draw samples as a PNG.

    Args:
        heads: A title for each column of pictures.
        rows: At least one; all with as many pictures as there are titles, of one size.
        plain: How many pictures of a row are not augmented; more room is left behind them.
        legend: Draws what stands below them, of a width in pixels.
    """
    frame = _frame(rows, plain)
    width = frame.left(len(heads) - 1) + frame.picture[0] + _MARGIN
    height = frame.top(len(rows) - 1) + frame.picture[1] + _MARGIN
    below = legend(width - 2 * _MARGIN) if legend else None
    sheet = Pillow.new("RGB", (width, height + (below.height if below else 0)), "white")
    if below:
        sheet.paste(below, (_MARGIN, height - _MARGIN // 2))
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        title = shortened(head, frame.picture[0])
        draw.text((frame.left(column), _MARGIN), title, _INK, font(SIZE))
    for number, row in enumerate(rows):
        top = frame.top(number)
        draw.text((_MARGIN, top - 1), shortened(row.title, frame.labels), _INK, font(SIZE))
        name = shortened_in_the_middle(row.sample_id, frame.labels)
        draw.text((_MARGIN, top + 18 * bool(row.title)), name, _SOFT, font(SMALL))
        for column, cells in enumerate(row.pictures):
            _paste(sheet, cells, frame, (frame.left(column), top))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _frame(rows: Sequence[Row], plain: int) -> _Frame:
    cells = rows[0].pictures[0]
    per_side = round(len(cells) ** 0.5)
    height, width = cells[0].shape[:2]
    longest = max(height, width) * per_side
    largest = _LARGEST_CUT if per_side > 1 else _LARGEST
    scale = min(max(_SMALLEST / longest, 1.0), largest / longest)
    lengths = [font(SIZE).getlength(row.title) for row in rows]
    lengths += [font(SMALL).getlength(row.sample_id) for row in rows]
    labels = min(max(_LABELS[0], round(max(lengths)) + 1), _LABELS[1])
    cell = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _Frame(cell, per_side, labels, plain)


def _paste(
    sheet: Pillow.Image, cells: Sequence[Image], frame: _Frame, place: tuple[int, int]
) -> None:
    for number, cell in enumerate(cells):
        x, y = frame.cell_place(number)
        sheet.paste(_shown(cell, frame.cell), (place[0] + x, place[1] + y))


def _shown(image: Image, size: tuple[int, int]) -> Pillow.Image:
    """Make a picture of a size: of 4 or more channels the first three, of 2 the first."""
    pixels = image[:, :, :3] if image.shape[2] >= 3 else image[:, :, 0]
    picture = Pillow.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    # Each pixel of a small image stays a square: this is what the network gets.
    larger = size[0] >= picture.width
    return picture.resize(size, Pillow.Resampling.NEAREST if larger else Pillow.Resampling.BOX)
