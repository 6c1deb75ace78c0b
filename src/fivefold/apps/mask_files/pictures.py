"""Masks as pictures."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.augment import resize
from fivefold.core.masks import IGNORED
from fivefold.core.types import AnyArray, Image
from fivefold.engine.captions import font, shortened
from fivefold.engine.overlays import (
    COLOURS,
    IGNORED_COLOUR,
    colour_of,
    overlaid,
    scaled,
    shown_classes,
)
from fivefold.experiment.predicted_masks import Mask

_LONGEST = 1600
"""Pixels along the longer side of an overlay."""
_OUTLINE = 400
"""An outline is a pixel wide for so many along the longer side."""
_LINE, _SWATCH, _INK = 24, 13, "#1c1c1e"


def png(plane: AnyArray) -> bytes:
    """Write a grey picture [H, W]."""
    return _bytes_of(Pillow.fromarray(np.ascontiguousarray(plane)))


def palette_png(numbers: AnyArray) -> bytes:
    """Write class numbers [H, W] as a picture with a palette: its values are the numbers."""
    picture = Pillow.fromarray(np.ascontiguousarray(numbers))
    picture.putpalette(_palette())
    return _bytes_of(picture)


def shown_over(image: Image, mask: Mask, class_names: Sequence[str]) -> bytes:
    """Draw a mask over its image, with a legend where there are several classes.

    Args:
        image: At its own size [H, W, C].
        mask: Of that size.
        class_names: Of all classes.
    """
    height, width = image.shape[:2]
    share = min(1.0, _LONGEST / max(height, width))
    size = (max(1, round(height * share)), max(1, round(width * share)))
    line = max(1, max(size) // _OUTLINE)
    small = resize(image, *size)
    drawn = overlaid(small, scaled(mask.pixels, mask.kind, size), mask.kind, width=line)
    shown = shown_classes(mask.kind)
    if len(shown) == 1:
        return _bytes_of(Pillow.fromarray(drawn))
    rows = [(class_names[k], colour_of(mask.kind, k)) for k in shown if mask.counts[k]]
    return _bytes_of(_with_legend(drawn, rows))


def _with_legend(drawn: Image, rows: Sequence[tuple[str, tuple[int, int, int]]]) -> Pillow.Image:
    height, width = drawn.shape[:2]
    page = Pillow.new("RGB", (width, height + _LINE * len(rows)), "white")
    page.paste(Pillow.fromarray(drawn), (0, 0))
    pen = ImageDraw.Draw(page)
    for i, (name, colour) in enumerate(rows):
        top = height + i * _LINE + (_LINE - _SWATCH) // 2
        pen.rectangle((6, top, 6 + _SWATCH, top + _SWATCH), fill=colour, outline=_INK)
        room = max(width - _SWATCH - 20, 1)
        pen.text((14 + _SWATCH, top - 3), shortened(name, room), _INK, font=font())
    return page


def _palette() -> list[int]:
    """Give a colour to each number: black to 0, then those of overlays, then others."""
    colours = [(0, 0, 0), *COLOURS, *(_spread(k) for k in range(len(COLOURS) + 1, 256))]
    colours[IGNORED] = IGNORED_COLOUR
    return [value for colour in colours for value in colour]


def _spread(number: int) -> tuple[int, int, int]:
    """Give a colour by the bits of a number, as PASCAL VOC's palette does: neighbours differ."""
    red = green = blue = 0
    for bit in range(8):
        red |= (number & 1) << (7 - bit)
        green |= (number >> 1 & 1) << (7 - bit)
        blue |= (number >> 2 & 1) << (7 - bit)
        number >>= 3
    return red, green, blue


def _bytes_of(picture: Pillow.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
