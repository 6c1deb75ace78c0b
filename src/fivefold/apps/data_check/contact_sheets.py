"""Contact sheets: for each finding the images that show it best, in one picture."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.apps.data_check.check import Checked
from fivefold.core.errors import DataError
from fivefold.data import Source
from fivefold.data.audit_rows import AuditRow
from fivefold.data.findings import Finding, Level
from fivefold.data.looks import look_of_text
from fivefold.data.reasons import words_for
from fivefold.engine.captions import (
    SIZE,
    SMALL,
    font,
    shortened,
    shortened_in_the_middle,
)
from fivefold.engine.thumbnails import thumbnail

_MOST, _ACROSS = 24, 6
_TILE, _GAP, _MARGIN, _TEXT, _HEAD = 168, 18, 24, 40, 62  # pixels
_LEAST = 96  # pixels that a small image is enlarged to
_INK, _SOFT, _PAPER, _FRAME, _BAD = "#1c1c1e", "#6e6e73", "#ffffff", "#f2f2f4", "#b3261e"
_FEW = 96  # pixels of the longer side up to which every one of them is shown


@dataclass(frozen=True)
class _Tile:
    picture: Pillow.Image | None
    instead: str
    title: str
    note: str
    begins: bool  # a group of images that belong together


def draw_sheets(checked: Checked, source: Source) -> Iterator[tuple[str, bytes]]:
    """Draw a sheet for each finding about images that matters.

    Args:
        checked: What was found.
        source: Reads the images.

    Yields:
        The finding's name and a PNG.
    """
    for finding in checked.findings:
        if finding.level != Level.NOTED and _is_listed(finding, len(source)):
            yield finding.name, _sheet(finding, _tiles(checked, source, finding))


def _is_listed(finding: Finding, count: int) -> bool:
    """Say whether it is about samples; what rules have left out is none."""
    return len(finding.rows) > 0 and int(finding.rows.max()) < count


def _tiles(checked: Checked, source: Source, finding: Finding) -> list[_Tile]:
    starts = set(np.cumsum([0, *finding.groups]).tolist()) if finding.groups else set()
    rows = checked.examined.audit.rows
    return [
        _tile(source, int(k), rows[int(k)], finding.name, begins=place in starts)
        for place, k in enumerate(finding.rows[:_MOST].tolist())
    ]


def _tile(source: Source, i: int, row: AuditRow, finding: str, *, begins: bool) -> _Tile:
    try:
        picture, instead = _picture(source, i), ""
    except DataError as error:
        picture, instead = None, words_for(row.reason) if row.reason else str(error)
    return _Tile(picture, instead, row.sample_id, _note(source, i, row, finding), begins)


def _picture(source: Source, i: int) -> Pillow.Image:
    """Make a small picture of a sample, with its mask over it where there is one."""
    if source.masks is None:
        return thumbnail(source, i, _TILE, least=_LEAST)
    from fivefold.engine.overlays import overlaid, scaled  # noqa: PLC0415  only masks need it

    picture = thumbnail(source, i, _TILE, least=_LEAST)
    try:
        mask = source.mask(i)
    except DataError:  # the image alone shows what it is about
        return picture
    fitting = scaled(mask, source.masks, (picture.height, picture.width))
    return Pillow.fromarray(overlaid(np.asarray(picture), fitting, source.masks, width=2))


def _note(source: Source, i: int, row: AuditRow, finding: str) -> str:
    look = look_of_text(row.look)
    size = f"{row.width} x {row.height}" if row.height else ""
    notes = {
        "blurred": f"sharpness {look.sharpness / max(look.spread, 1) ** 2:.2g}",
        "dark": f"brightness {look.brightness} of 255",
        "flat": f"spread {look.spread}",
        "tiny": size,
        "odd_shape": size,
        "misnamed": look.kind.partition("+")[0],
        "mask_size": _both_sizes(row.detail),
    }
    return notes.get(finding) or _labels(source, i) or size


def _both_sizes(detail: str) -> str:
    """Give width and height of an image and of its mask, which has another size."""
    found = re.search(r"(\d+) x (\d+), got a mask of (\d+) x (\d+)$", detail)
    return "image {1} x {0}, mask {3} x {2}".format(*found.groups()) if found else ""


def _labels(source: Source, i: int) -> str:
    try:
        target = source.target(i)
    except DataError:  # of a mask that cannot be read
        return ""
    names = [n for one in source.labels for n in one.class_names]
    if target is None:
        return ""
    return ", ".join(names[k] for k in np.flatnonzero(target > 0.5).tolist()) or "none"


def _sheet(finding: Finding, tiles: Sequence[_Tile]) -> bytes:
    across = min(_ACROSS, max(3, len(tiles)))
    down = -(-len(tiles) // across)
    width = 2 * _MARGIN + across * _TILE + (across - 1) * _GAP
    height = _MARGIN + _HEAD + down * (_TILE + _TEXT + _GAP) + _MARGIN - _GAP
    sheet = Pillow.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    title = f"{_images(finding.count)}: {finding.title}"
    draw.text((_MARGIN, _MARGIN - 4), shortened(title, (width - 2 * _MARGIN) / 1.5), _INK, font(20))
    more = f" · the first {len(tiles)} are shown" if len(tiles) < len(finding.rows) else ""
    below = shortened(f"{finding.action}{more}", width - 2 * _MARGIN)
    draw.text((_MARGIN, _MARGIN + 24), below, _SOFT, font(SIZE))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, across)
        left = _MARGIN + column * (_TILE + _GAP)
        _draw_tile(sheet, draw, tile, (left, _MARGIN + _HEAD + row * (_TILE + _TEXT + _GAP)))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _draw_tile(
    sheet: Pillow.Image, draw: ImageDraw.ImageDraw, tile: _Tile, place: tuple[int, int]
) -> None:
    left, top = place
    draw.rectangle((left, top, left + _TILE - 1, top + _TILE - 1), _FRAME)
    if tile.begins:  # a bar before the first of those that belong together
        draw.rectangle((left - 10, top, left - 8, top + _TILE + _TEXT - 6), _SOFT)
    if tile.picture is None:
        text = shortened(tile.instead, _TILE - 16)
        middle = left + (_TILE - font(SIZE).getlength(text)) / 2
        draw.text((middle, top + _TILE / 2 - 8), text, _BAD, font(SIZE))
    else:
        width, height = tile.picture.size
        sheet.paste(tile.picture, (left + (_TILE - width) // 2, top + (_TILE - height) // 2))
    name = shortened_in_the_middle(tile.title, _TILE)
    draw.text((left, top + _TILE + 5), name, _INK, font(SMALL))
    draw.text((left, top + _TILE + 21), shortened(tile.note, _TILE / 1.2), _SOFT, font(SMALL))
