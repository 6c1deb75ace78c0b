"""Contact sheets: images whose labels may be wrong, each with what it is and what it may be."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.errors import DataError
from fivefold.core.progress import Progress
from fivefold.data import Source
from fivefold.data.text_order import TextIndex
from fivefold.engine.captions import SIZE, SMALL, font, shortened, shortened_in_the_middle
from fivefold.engine.thumbnails import thumbnail
from fivefold.evaluation.label_errors import Suspect
from fivefold.experiment.suspects import SuspectTable

_ACROSS, _DOWN = 6, 4
PER_SHEET = _ACROSS * _DOWN
"""How many suspects are on one sheet."""
MOST = 10 * PER_SHEET
"""How many are drawn at most."""

_SURE = 0.995  # from there on a percentage would be rounded to all

_TILE, _GAP, _MARGIN, _TEXT, _HEAD = 176, 20, 24, 58, 62  # pixels
_INK, _SOFT, _PAPER, _FRAME, _BAD, _NEW = (
    "#1c1c1e",
    "#6e6e73",
    "#ffffff",
    "#f2f2f4",
    "#b3261e",
    "#0b6e99",
)


@dataclass(frozen=True)
class _Tile:
    picture: Pillow.Image | None
    instead: str
    name: str
    given: str
    suggested: str
    sure: str


def number_of_sheets(table: SuspectTable) -> int:
    """Tell how many sheets `draw_sheets` gives."""
    return -(-min(len(table.suspects), MOST) // PER_SHEET)


def draw_sheets(table: SuspectTable, source: Source, progress: Progress) -> Iterator[bytes]:
    """Draw the worst suspects, `PER_SHEET` on a sheet and `MOST` at most.

    Args:
        table: What was found; its places in the table are the numbers on the sheets.
        source: Reads the images.
        progress: Who watches.

    Yields:
        A PNG for each sheet.
    """
    suspects, index = table.suspects[:MOST], TextIndex(source.sample_ids)
    sheets = number_of_sheets(table)
    with progress.bar("sheets", len(suspects)) as advance:
        for number in range(sheets):
            start = number * PER_SHEET
            tiles = []
            for place, suspect in enumerate(suspects[start : start + PER_SHEET], start=start + 1):
                i = index.find(suspect.sample_id)
                tiles.append(_tile(table, source, i, suspect, place))
                advance(1)
            yield _sheet(tiles, _title(table), _below(len(suspects), table, number, sheets))


def _tile(
    table: SuspectTable, source: Source, i: int | None, suspect: Suspect, place: int
) -> _Tile:
    picture, instead = None, "no longer in the data"
    if i is not None:
        try:
            picture = thumbnail(source, i, _TILE, least=_TILE)
        except DataError:
            instead = "not readable"
    output = f"{suspect.head}: " if suspect.head else ""
    return _Tile(
        picture,
        instead,
        f"{place} · {suspect.sample_id}",
        output + table.text_of(suspect, suspect.given),
        table.text_of(suspect, suspect.suggested),
        f"{suspect.confidence:.0%}" if suspect.confidence < _SURE else ">99%",
    )


def _title(table: SuspectTable) -> str:
    count = len(table.suspects)
    return f"{count:,} label{'' if count == 1 else 's'} that may be wrong"


def _below(drawn: int, table: SuspectTable, number: int, sheets: int) -> str:
    parts = ["the label → what models say that have not seen the image, and how sure they are"]
    if drawn < len(table.suspects):
        parts.append(f"the worst {drawn}")
    if sheets > 1:
        parts.append(f"sheet {number + 1} of {sheets}")
    return " · ".join(parts)


def _sheet(tiles: Sequence[_Tile], title: str, below: str) -> bytes:
    across = min(_ACROSS, max(4, len(tiles)))
    down = -(-len(tiles) // across)
    width = 2 * _MARGIN + across * _TILE + (across - 1) * _GAP
    height = _MARGIN + _HEAD + down * (_TILE + _TEXT + _GAP) + _MARGIN - _GAP
    sheet = Pillow.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 4), title, _INK, font(20))
    draw.text((_MARGIN, _MARGIN + 24), shortened(below, width - 2 * _MARGIN), _SOFT, font(SIZE))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, across)
        left = _MARGIN + column * (_TILE + _GAP)
        _draw_tile(sheet, draw, tile, (left, _MARGIN + _HEAD + row * (_TILE + _TEXT + _GAP)))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _draw_tile(
    sheet: Pillow.Image, draw: ImageDraw.ImageDraw, tile: _Tile, place: tuple[int, int]
) -> None:
    left, top = place
    draw.rectangle((left, top, left + _TILE - 1, top + _TILE - 1), _FRAME)
    if tile.picture is None:
        text = shortened(tile.instead, _TILE - 16)
        middle = left + (_TILE - font(SIZE).getlength(text)) / 2
        draw.text((middle, top + _TILE / 2 - 8), text, _BAD, font(SIZE))
    else:
        width, height = tile.picture.size
        sheet.paste(tile.picture, (left + (_TILE - width) // 2, top + (_TILE - height) // 2))
    draw.text((left, top + _TILE + 5), shortened(tile.given, _TILE), _INK, font(SIZE))
    sure = font(SMALL).getlength(tile.sure)
    arrow = font(SIZE).getlength("→ ")
    draw.text((left, top + _TILE + 22), "→ ", _SOFT, font(SIZE))
    suggested = shortened(tile.suggested, _TILE - arrow - sure - 8)
    draw.text((left + arrow, top + _TILE + 22), suggested, _NEW, font(SIZE))
    draw.text((left + _TILE - sure, top + _TILE + 24), tile.sure, _SOFT, font(SMALL))
    name = shortened_in_the_middle(tile.name, _TILE)
    draw.text((left, top + _TILE + 41), name, _SOFT, font(SMALL))
