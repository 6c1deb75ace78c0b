"""Words under a picture: wrapped and shortened to its width, in a font that has most letters."""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import ImageFont

SIZE, SMALL = 13, 11  # pixels

_MOST = 400  # letters; no more fit, and measuring them would take long


def shortened(text: str, width: float) -> str:
    """Cut a text to a width in pixels; what cannot be drawn on one line is shown as a box."""
    text = _printable(text)
    if _length(text) <= width:
        return text
    fitting = (text[:end].rstrip() + "…" for end in range(len(text), -1, -1))
    return next((t for t in fitting if _length(t) <= width), "…")


def shortened_in_the_middle(text: str, width: float) -> str:
    """Cut a small text to a width in pixels: its beginning and its end stay."""
    is_whole = len(text) <= _MOST
    text = _printable(text if is_whole else text[: _MOST // 2] + text[-_MOST // 2 :])
    if is_whole and _length(text, SMALL) <= width:
        return text
    halves = range(len(text) // 2, 0, -1)
    fitting = (f"{text[:half]}…{text[-half:]}" for half in halves)
    return next((t for t in fitting if _length(t, SMALL) <= width), "…")


def wrapped(start: str, names: Sequence[str], end: str, width: float) -> list[str]:
    """Put labels on one line, or on two where they need them; the end is never cut off.

    Args:
        start: What the first line begins with.
        names: The labels, at least one.
        end: What the last line ends with, such as a probability.
        width: Pixels.

    Returns:
        One or two lines.
    """
    names = [_printable(name) for name in names[:_MOST]]
    if len(names) == 1 or _length(start + ", ".join(names) + end) <= width:
        return [start + shortened(", ".join(names), width - _length(start + end)) + end]
    first = 1
    while first < len(names) - 1 and (
        _length(start + ", ".join(names[: first + 1]) + ",") <= width
    ):
        first += 1
    room = width - _length(start + ",")
    return [
        start + shortened(", ".join(names[:first]), room) + ",",
        shortened(", ".join(names[first:]), width - _length(end)) + end,
    ]


@cache
def font(size: int = SIZE) -> ImageFont.FreeTypeFont:
    """Open DejaVu Sans, which comes with matplotlib: Pillow's own font lacks most letters."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    # Basic layout: the same bytes whether or not the system has Raqm.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_MOST])


def _length(text: str, size: int = SIZE) -> float:
    return font(size).getlength(text)
