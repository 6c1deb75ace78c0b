"""A picture of how many images each class has."""

import io
from collections.abc import Mapping
from typing import TypeAlias

from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.apps.data_check.stats import Stats
from fivefold.engine.captions import SIZE, font, shortened

_MARGIN, _HEAD, _ROW, _NAMES, _BARS, _NUMBERS = 28, 66, 26, 180, 420, 150  # pixels
_SHARES = 64  # of the numbers
_INK, _SOFT, _BAR, _TRACK = "#1c1c1e", "#6e6e73", "#3b6fb6", "#f2f2f4"
_MOST = 40  # bars of an output; the largest and the smallest classes if there are more

_Row: TypeAlias = tuple[str, int | None, int, int]
"""A name, how many there are, how many the longest bar stands for, and of how many; of a heading no
number."""


def draw_stats(stats: Stats) -> bytes:
    """Draw a bar for each class, the largest first, as a PNG."""
    rows: list[_Row] = []
    for name, counts in stats.outputs:
        if name or stats.masks:
            rows.append((name or "images that show", None, 0, 0))
        rows += _bars(counts, stats.images)
    if stats.masks:
        pixels, covered = stats.masks.pixels, stats.masks.covered
        rows.append(("pixels that show", None, 0, 0))
        rows += _bars(pixels, stats.masks.total)
        rows.append(("covered part of images", None, 0, 0))
        most = max(covered.values()) or 1
        whole = sum(covered.values())
        rows += [(name, count, most, whole) for name, count in covered.items()]
    size = (
        2 * _MARGIN + _NAMES + _BARS + _NUMBERS,
        _MARGIN + _HEAD + _ROW * len(rows) + _MARGIN - 12,
    )
    sheet = Pillow.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    total = "1 image" if stats.images == 1 else f"{stats.images:,} images"
    draw.text((_MARGIN, _MARGIN - 6), total, _INK, font(20))
    draw.text((_MARGIN, _MARGIN + 24), _below(stats), _SOFT, font(SIZE))
    for number, (name, count, most, whole) in enumerate(rows):
        top = _MARGIN + _HEAD + number * _ROW
        draw.text((_MARGIN, top), shortened(name, _NAMES - 14), _INK, font(SIZE))
        if count is None:
            continue
        left = _MARGIN + _NAMES
        draw.rectangle((left, top, left + _BARS - 1, top + 15), _TRACK)
        if count:
            draw.rectangle(
                (left, top, left + max(1, round(_BARS * count / most)) - 1, top + 15), _BAR
            )
        right = size[0] - _MARGIN
        _right_aligned(draw, f"{count:,}", (right - _SHARES, top))
        _right_aligned(draw, f"{count / max(whole, 1):.1%}", (right, top))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _right_aligned(draw: ImageDraw.ImageDraw, text: str, place: tuple[int, int]) -> None:
    right, top = place
    draw.text((right - font(SIZE).getlength(text), top), text, _SOFT, font(SIZE))


def _bars(counts: Mapping[str, int], whole: int) -> list[_Row]:
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    # One bar alone has none to be compared with: it shows its part of the whole.
    most = (whole if len(pairs) == 1 else max((count for _, count in pairs), default=1)) or 1
    bars: list[_Row] = [(name, count, most, whole) for name, count in pairs]
    if len(bars) <= _MOST:
        return bars
    half, left = _MOST // 2, len(bars) - _MOST
    return [*bars[:half], (f"… {left} more", None, 0, 0), *bars[-half:]]


def _below(stats: Stats) -> str:
    parts = []
    if stats.sides:
        height, width = stats.sides["height"], stats.sides["width"]
        parts.append(f"median {width[1]} x {height[1]} pixels")
    if stats.imbalance is not None:
        parts.append(f"the largest class has {stats.imbalance:.3g} times as many as the smallest")
    return " · ".join(parts)
