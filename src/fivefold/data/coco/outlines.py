"""What a COCO annotation draws: polygons, or a mask in run lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Image, Indices
from fivefold.core.validation import shown

_FAR = 1e8  # pixels; five times that fits 32 bits
_LONGEST = 50_000_000
"""Steps of a way round a polygon: a hundred times round the largest image that is read."""
_FINER = 5
"""How many times as fine the grid is on which edges of polygons are followed."""
_FORMS = "polygons of at least 3 points, or {size: [height, width], counts: …}"


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline in little memory.

    Attributes:
        rings: Polygons, as bytes of x and y in turn, float64.
        counts: Run lengths as a text of COCO's, or as bytes of int64; nothing with polygons.
        size: Height and width that run lengths are of.
    """

    rings: tuple[bytes, ...] = ()
    counts: str | bytes = ""
    size: tuple[int, int] = (0, 0)

    def drawn(self, size: tuple[int, int]) -> Image:
        """Draw it: [h, w], 1 where something is.

        Raises:
            DataError: If run lengths are damaged or of another size, or a polygon reaches too far.
        """
        if self.size == (0, 0):
            plane = np.zeros(size, dtype=np.uint8)
            for ring in self.rings:
                draw_polygon(np.frombuffer(ring).reshape(-1, 2), plane)
            return plane
        if self.size != size:
            msg = f"expected run lengths of {size[0]} x {size[1]} pixels (height x width), "
            msg += f"got {self.size[0]} x {self.size[1]}"
            raise DataError(msg, slug="data/rle")
        counts = self.counts
        known = counts_of_text(counts) if isinstance(counts, str) else np.frombuffer(counts, int)
        return plane_of_counts(known, size)


def read_outline(given: Any) -> Any:
    """Make an outline of what stands behind `segmentation`; None where nothing does.

    Raises:
        ValueError: If it is none.
    """
    if given is None or given == [] or isinstance(given, Outline):
        return given or None
    if isinstance(given, dict):
        return _of_runs(given)
    if not isinstance(given, list):
        raise _wrong(given)
    rings = []
    for ring in given:
        if not isinstance(ring, list) or len(ring) % 2 or len(ring) < 6:
            raise _wrong(ring)
        if not all(type(number) in (int, float) and abs(number) < _FAR for number in ring):
            raise _wrong(ring)
        rings.append(np.asarray(ring, dtype=np.float64).tobytes())
    return Outline(tuple(rings))


def _of_runs(given: dict[str, Any]) -> Outline:
    size, counts = given.get("size"), given.get("counts")
    is_size = isinstance(size, list) and len(size) == 2 and all(_is_count(n) and n for n in size)
    if not is_size or not isinstance(size, list):
        raise _wrong(given)
    if isinstance(counts, str):
        return Outline((), counts, (size[0], size[1]))
    if not isinstance(counts, list) or not all(map(_is_count, counts)):
        raise _wrong(given)
    return Outline((), np.asarray(counts, dtype=np.int64).tobytes(), (size[0], size[1]))


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number < _FAR


def _wrong(given: Any) -> ValueError:
    return ValueError(f"{_FORMS}, got {shown(given)}")


def draw_polygon(points: AnyArray, plane: Image) -> None:
    """Set the pixels of a plane [h, w] that a polygon covers, as COCO's own tools do.

    Its edges are followed on a grid five times as fine; in each column, a pixel is inside from the
    first crossing of the column's middle to the next. Points may lie outside of the plane.

    Args:
        points: x and y of each [n, 2], in pixels; 0 is the edge of the first one.
        plane: Changed in place.

    Raises:
        DataError: If the polygon reaches absurdly far.

    References:
        COCO, `cocoapi/common/maskApi.c`, `rleFrPoly`: the definition of what a polygon covers.
    """
    columns, rows = _crossings(*_steps(np.trunc(points * _FINER + 0.5).astype(np.int64)), plane)
    if not len(columns):
        return
    height, first = plane.shape[0], int(columns.min())
    width = int(columns.max()) + 1 - first
    turns = np.bincount((columns - first) * height + rows, minlength=width * height + 1)
    inside = np.cumsum(turns)[: width * height].reshape(width, height).T & 1
    plane[:, first : first + width] |= inside.astype(np.uint8)


def _steps(corners: Indices) -> tuple[Indices, Indices]:
    """Follow the edges of a polygon [n, 2] step by step: x and y of every point on the way.

    Raises:
        DataError: If the way is absurdly long.
    """
    ends = np.roll(corners, -1, axis=0)
    run = np.abs(ends - corners)
    steep = run[:, 0] < run[:, 1]
    along = steep.astype(np.int64)  # the axis that grows by one with each step
    each = np.arange(len(corners))
    # Both ways along an edge are the same points: it is followed upwards, then turned round.
    turned = corners[each, along] > ends[each, along]
    low = np.where(turned[:, None], ends, corners)
    high = np.where(turned[:, None], corners, ends)
    length = run[each, along]
    slope = (high[each, 1 - along] - low[each, 1 - along]) / np.maximum(length, 1)
    if length.sum() > _LONGEST:
        msg = "expected polygons in or near their image, got one of "
        msg += f"{length.sum() // _FINER:,} pixels all round"
        raise DataError(msg, slug="data/rle")
    edge = np.repeat(each, length + 1)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(length + 1) - length - 1, length + 1)
    step = np.where(turned[edge], length[edge] - step, step)
    main = low[edge, along[edge]] + step
    other = np.trunc(low[edge, 1 - along[edge]] + slope[edge] * step + 0.5).astype(np.int64)
    return np.where(steep[edge], other, main), np.where(steep[edge], main, other)


def _crossings(x: Indices, y: Indices, plane: Image) -> tuple[Indices, Indices]:
    """Find where a way over the fine grid crosses columns' middles: column and row of each."""
    height, width = plane.shape
    left = np.minimum(x[1:], x[:-1])
    column, rest = np.divmod(left - _FINER // 2, _FINER)
    crosses = (x[1:] != x[:-1]) & (rest == 0) & (column >= 0) & (column < width)
    above = np.minimum(y[1:], y[:-1])[crosses]
    row = np.ceil(np.clip((above + 0.5) / _FINER - 0.5, 0, height)).astype(np.int64)
    return column[crosses], row


def plane_of_counts(counts: Indices, size: Sequence[int]) -> Image:
    """Draw run lengths of 0, 1, 0, … down the columns: [h, w].

    Raises:
        DataError: If they are not as many pixels as there are.
    """
    total = size[0] * size[1]
    if (counts < 0).any() or counts.sum() != total:
        msg = f"expected run lengths of {total:,} pixels in all, got {int(counts.sum()):,}"
        raise DataError(msg, slug="data/rle")
    values = np.arange(len(counts), dtype=np.int64) % 2
    flat = np.repeat(values.astype(np.uint8), counts)
    return np.ascontiguousarray(flat.reshape(size[1], size[0]).T)


def counts_of_plane(plane: AnyArray) -> Indices:
    """Write a plane [h, w] as run lengths of 0, 1, 0, … down the columns."""
    flat = (np.asarray(plane) != 0).T.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=0))
    return np.diff(np.concatenate([[0], edges, [flat.size]])).astype(np.int64)


def counts_of_text(text: str) -> Indices:
    """Read COCO's compressed run lengths.

    Each number is written in groups of five bits, the lowest first, as signs from "0" on; the
    sixth bit says that more follow, and the highest of the last group is the sign. From the fourth
    number on it is the difference to the one two before.

    Raises:
        DataError: If the text is none.
    """
    signs = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8).astype(np.int64) - 48
    lasts = np.flatnonzero((signs & 32) == 0)
    lengths = np.diff(lasts, prepend=-1)
    is_whole = len(lasts) and lasts[-1] == len(signs) - 1
    if not is_whole or (signs < 0).any() or (signs > 63).any() or lengths.max() > 7:
        msg = f"expected run lengths in COCO's own text, got {shown(text)}"
        raise DataError(msg, slug="data/rle")
    firsts = lasts - lengths + 1
    place = np.arange(len(signs)) - np.repeat(firsts, lengths)
    numbers = np.add.reduceat((signs & 31) << (5 * place), firsts)
    numbers -= np.where(signs[lasts] & 16, np.int64(1) << (5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def text_of_counts(counts: Indices) -> str:
    """Write run lengths as `counts_of_text` reads them."""
    differences = np.asarray(counts, dtype=np.int64).copy()
    differences[3:] -= np.asarray(counts)[1:-2]
    signs = []
    for number in differences.tolist():
        more = True
        while more:
            group, number = number & 31, number >> 5
            more = number != (-1 if group & 16 else 0)
            signs.append(chr(48 + group + (32 if more else 0)))
    return "".join(signs)
