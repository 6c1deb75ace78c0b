"""One picture for one sample: the image, and beside it where the models see each class."""

import io

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.apps.explain.overlay import as_seen, in_colors, laid_over
from fivefold.core.types import Image
from fivefold.engine.captions import SMALL, font, shortened, shortened_in_the_middle
from fivefold.experiment.explaining import ClassMap, Explanation

_LEAST = 240  # pixels along the longer side
_WIDE = 2_400  # pixels, as long as two pictures fit
_GAP, _LINE, _BAR = 16, 19, 120
_INK, _SOFT = "#1c1c1e", "#6e6e73"
_OF_CLASS, _OF_ATTENTION = ("does not", "speaks for it"), ("less", "looked at")
_TRUE, _FALSE, _NOTHING = "true", "not true", "nothing here speaks for it"


def draw_panels(explanation: Explanation, alpha: float, max_side: int) -> bytes:
    """Draw an image, and beside it a copy for each class with the map laid over it.

    Args:
        explanation: With at least one map.
        alpha: How opaque the colours are, 0-1.
        max_side: Pixels along the longer side of each copy at most; 0 is the image's own size.

    Returns:
        A PNG file; the same input gives the same bytes.
    """
    picture = as_seen(explanation.image, _LEAST, max_side and max(max_side, _LEAST))
    cells = [(picture, [(explanation.sample_id, _INK), (_who(explanation), _SOFT)])]
    for one in explanation.maps:
        drawn = laid_over(picture, one.heat, alpha)
        cells.append((drawn, [(_named(one), _INK), (_told(one), _SOFT)]))
    return _sheet(cells, _OF_CLASS if explanation.layer else _OF_ATTENTION)


def _sheet(cells: list[tuple[Image, list[tuple[str, str]]]], ends: tuple[str, str]) -> bytes:
    height, width = cells[0][0].shape[:2]
    cell_width, cell_height = max(width, _LEAST), height + 2 * _LINE + _GAP
    columns = min(len(cells), max(2, _WIDE // (cell_width + _GAP)))
    rows = -(-len(cells) // columns)
    size = (columns * (cell_width + _GAP) + _GAP, rows * (cell_height + _GAP) + _GAP + _LINE)
    sheet = Pillow.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, (pixels, lines) in enumerate(cells):
        row, column = divmod(number, columns)
        x, y = _GAP + column * (cell_width + _GAP), _GAP + row * (cell_height + _GAP)
        sheet.paste(Pillow.fromarray(pixels), (x + (cell_width - width) // 2, y))
        for k, (text, color) in enumerate(lines):
            place = (x, y + height + 6 + k * _LINE)
            cut = shortened_in_the_middle if number == 0 and k == 0 else shortened
            draw.text(place, cut(text, cell_width), color, font(SMALL if k else SMALL + 2))
    _draw_scale(sheet, draw, ends)
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=3)
    return file.getvalue()


def _draw_scale(sheet: Pillow.Image, draw: ImageDraw.ImageDraw, ends: tuple[str, str]) -> None:
    """Say at the lower right what the colours mean."""
    ramp = np.repeat(np.linspace(0, 1, _BAR, dtype=np.float32)[None], 10, axis=0)
    right, y = sheet.width - _GAP, sheet.height - _GAP - 6
    start, end = ends
    x = right - round(font(SMALL).getlength(end))
    draw.text((x, y - 3), end, _SOFT, font(SMALL))
    sheet.paste(Pillow.fromarray(in_colors(ramp)), (x - _BAR - 6, y))
    before = x - _BAR - 12 - round(font(SMALL).getlength(start))
    draw.text((before, y - 3), start, _SOFT, font(SMALL))


def _named(one: ClassMap) -> str:
    name = f"{one.head}: {one.class_name}" if one.head else one.class_name
    mark = "" if one.is_true is None else ("  ✓" if one.is_true else "  ✗")
    return f"{name} {one.probability:.2f}{mark}"


def _told(one: ClassMap) -> str:
    truth = [] if one.is_true is None else [_TRUE if one.is_true else _FALSE]
    return ", ".join([*truth, *([] if one.heat.any() else [_NOTHING])])


def _who(explanation: Explanation) -> str:
    s = "s" * (len(explanation.folds) > 1)
    return f"model{s} of fold{s} {', '.join(map(str, explanation.folds))}"
