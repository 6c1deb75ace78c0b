"""Which rows of a table count, and what else they say of their samples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.packed import PackedTexts, Texts, chosen
from fivefold.data.text_order import first_alike
from fivefold.data.text_table import CodedTexts, Table, coded

_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Kept:
    """The rows that count.

    Attributes:
        rows: Their places in the table [N].
        ids: Their samples' ids [N].
        excluded: What is left out, by its id or line, each with the rule.
    """

    rows: Indices
    ids: Texts
    excluded: tuple[tuple[str, str], ...]


def kept_rows(
    table: Table, image: int, labels: Mapping[int, str | None], others: Sequence[int]
) -> Kept:
    """Drop rows without an id or a label, and rows that repeat another one in all that is read.

    A column whose cells may hold several labels may hold none, too.

    Args:
        table: Its columns and rows.
        image: Which column has the ids.
        labels: Which columns have labels, each with what separates them.
        others: Which other columns are read.

    Raises:
        DataError: If rows with one id differ in what is read; names their lines.
    """
    ids = PackedTexts(cell.strip() for cell in table.cells[image])
    has_id = np.fromiter(map(bool, ids), bool, len(ids))
    has_label = np.ones(len(ids), bool)
    for k, sign in labels.items():
        if not sign:
            cells = coded(table.cells[k])
            has_label &= np.array([bool(name.strip()) for name in cells.names], bool)[cells.codes]
    rows = np.flatnonzero(has_id & has_label)
    first = rows[first_alike(chosen(ids, rows))] if len(rows) else rows
    again = rows[first != rows]
    if len(again):
        _refuse_clashes(table, ids, (first[first != rows], again), [*labels, *others])
    mask = np.zeros(len(ids), bool)
    mask[rows] = True
    mask[again] = False
    excluded = [
        (ids[row] or f"{table.unit} {table.lines[row]}", _rule(row, has_id, has_label))
        for row in np.flatnonzero(~mask).tolist()
    ]
    counted = np.flatnonzero(mask)
    if len(excluded):
        ids = PackedTexts(ids[row] for row in counted.tolist())
    return Kept(counted, ids, tuple(excluded))


def groups_of(table: Table, kept: Kept, column: int | None) -> Sequence[str] | None:
    """Read what must stay in one fold [N]; a row with nothing there is a group by itself."""
    if column is None:
        return None
    cells = coded(table.cells[column])
    names = [name.strip() for name in cells.names]
    codes = cells.codes[kept.rows]
    if all(names):
        return CodedTexts(names, codes.astype(np.int64))
    both = zip(codes.tolist(), kept.ids, strict=True)
    return PackedTexts(names[code] or f"\x1f{sample_id}" for code, sample_id in both)


def weights_of(table: Table, rows: Indices, column: int | None) -> Floats | None:
    """Read how much samples count in training [N].

    Raises:
        DataError: If a cell is no number of at least 0, or all are 0; names the line.
    """
    if column is None:
        return None
    cells = coded(table.cells[column])
    numbers = np.array([_weight(name) for name in cells.names] or [0.0])
    weights = numbers[cells.codes[rows]]
    bad = np.flatnonzero(np.isnan(weights))
    if len(bad):
        row = int(rows[bad[0]])
        expected = "expected a number from 0 to 1,000,000"
        got = f"{table.cells[column][row]!r:.60}"
        msg = f"{table.place(row)}: weight_column: {expected}, got {got}"
        raise DataError(msg, hint="1 is the usual weight", slug="data/weight")
    if len(weights) and not weights.any():
        msg = f"{table.path}: weight_column: expected a weight above 0, got 0 in every row"
        raise DataError(msg, hint="1 is the usual weight", slug="data/weight")
    return weights.astype(np.float32)


def _weight(text: str) -> float:
    try:
        number = float(text.strip().replace("_", "x"))  # Python reads 1_000
    except ValueError:
        return math.nan
    return number if 0 <= number <= 1_000_000 else math.nan


def _rule(row: int, has_id: AnyArray, has_label: AnyArray) -> str:
    if not has_id[row]:
        return "no-id"
    return "repeated-row" if has_label[row] else "no-label"


def _refuse_clashes(
    table: Table, ids: Texts, pairs: tuple[Indices, Indices], read: Sequence[int]
) -> None:
    """Refuse rows that say something else than an earlier one with their id.

    Args:
        table: Its columns and rows.
        ids: Of all rows.
        pairs: The first row of an id, and a later one [M], [M].
        read: The columns that are read.

    Raises:
        DataError: If there are any; names the first ten.
    """
    first, later = pairs
    columns = [(k, coded(table.cells[k]).codes) for k in dict.fromkeys(read)]
    differ = np.zeros(len(later), bool)
    for _, codes in columns:
        differ |= codes[first] != codes[later]
    clashes = np.flatnonzero(differ).tolist()
    if not clashes:
        return
    shown = "; ".join(
        _clash(table, ids, (int(first[i]), int(later[i])), read) for i in clashes[:_SHOWN]
    )
    more = f"; {len(clashes) - _SHOWN} more" if len(clashes) > _SHOWN else ""
    msg = f"{table.path}: expected one row for each image, got different ones: {shown}{more}"
    hint = "remove the wrong rows; several labels of one image belong into one cell"
    raise DataError(msg, hint=hint, slug="data/duplicate-id")


def _clash(table: Table, ids: Texts, rows: tuple[int, int], read: Sequence[int]) -> str:
    a, b = rows
    k = next(k for k in read if table.cells[k][a] != table.cells[k][b])
    lines = f"{table.unit}s {table.lines[a]} and {table.lines[b]}"
    cells = f"{table.cells[k][a]!r:.40} and {table.cells[k][b]!r:.40}"
    return f"{lines}: {ids[a]!r} has {table.columns[k]!r} {cells}"
