"""Parts and folds that columns of a table say."""

import re
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import AnyArray, Indices
from fivefold.data.given_folds import HOLDOUT, TRAIN_ONLY
from fivefold.data.text_table import Table, coded

_TRAIN, _VAL, _TEST = "train", "val", "test"
_WORDS = {
    "train": _TRAIN,
    "training": _TRAIN,
    "trn": _TRAIN,
    "val": _VAL,
    "valid": _VAL,
    "validation": _VAL,
    "validate": _VAL,
    "dev": _VAL,
    "test": _TEST,
    "testing": _TEST,
    "holdout": _TEST,
}
_MOST_FOLDS = 1000
_NUMBER = re.compile(r"(-1|[0-9]{1,9})(\.0*)?")


@dataclass(frozen=True, eq=False)
class ColumnFolds:
    """What columns say of folds.

    Attributes:
        where: Who says it, for messages.
        numbers: The fold of each sample, or HOLDOUT or TRAIN_ONLY [N]; None where folds are drawn.
        test: Which samples are the holdout [N].
        seen: Which samples are trained on in some fold [N]; None where every one may be.
        notes: What was found by itself.
    """

    where: str
    numbers: AnyArray | None
    test: AnyArray
    seen: AnyArray | None = None
    notes: tuple[str, ...] = ()


def read_folds(
    table: Table, rows: Indices, split: int | None, fold: int | None
) -> ColumnFolds | None:
    """Read the columns that divide a table.

    Args:
        table: Its columns and rows.
        rows: The rows that count, one for each sample.
        split: The column of train, val and test.
        fold: The column of numbers of folds.

    Returns:
        What they say; None without such a column.

    Raises:
        DataError: If a cell says something else; names its line.
    """
    if split is None and fold is None:
        return None
    parts = None if split is None else _parts(table, rows, split)
    test = np.zeros(len(rows), bool) if parts is None else parts == _TEST
    if fold is None:
        return _of_parts(table, split, parts, test)
    if parts is not None and (parts == _VAL).any():
        at = int(rows[np.flatnonzero(parts == _VAL)[0]])
        found = f"got {_VAL!r} beside `fold_column`"
        msg = f"{table.place(at)}: split_column: expected only train and test, {found}"
        hint = "the fold says who validates: leave out one of the two keys"
        raise DataError(msg, hint=hint, slug="data/given-folds")
    numbers, notes = _numbers(table, rows, fold)
    numbers[test] = HOLDOUT
    where = f"{table.path}: fold_column {table.columns[fold]!r}"
    return ColumnFolds(where, numbers, test, notes=notes)


def _of_parts(
    table: Table, split: int | None, parts: AnyArray | None, test: AnyArray
) -> ColumnFolds:
    name = "" if split is None else table.columns[split]
    where = f"{table.path}: split_column {name!r}"
    val = parts == _VAL
    if not np.any(val):
        return ColumnFolds(where, None, test, ~test)
    numbers = np.where(test, HOLDOUT, np.where(val, 0, TRAIN_ONLY))
    return ColumnFolds(where, numbers, test, ~(test | val))


def _parts(table: Table, rows: Indices, k: int) -> AnyArray:
    """Read a column of train, val and test, by the words that people use [N]."""
    cells = coded(table.cells[k])
    found = [_WORDS.get(name.strip().casefold(), "") for name in cells.names]
    parts = np.array(found or [""])[cells.codes[rows]]
    wrong = np.flatnonzero(parts == "")
    if len(wrong):
        row = int(rows[wrong[0]])
        got = table.cells[k][row].strip()
        msg = f"{table.place(row)}: split_column: expected train, val or test, got {got!r:.60}"
        hint = did_you_mean(got.casefold(), list(_WORDS), "name the part of every row")
        raise DataError(msg, hint=hint, slug="data/given-folds")
    return parts


def _numbers(table: Table, rows: Indices, k: int) -> tuple[AnyArray, tuple[str, ...]]:
    """Read a column of folds [N]; an empty cell is always trained on."""
    cells = coded(table.cells[k])
    known = [_number(name.strip()) for name in cells.names]
    wrong = [i for i, number in enumerate(known) if number is None]
    codes = cells.codes[rows]
    bad = rows[np.isin(codes, wrong)] if wrong else rows[:0]
    if len(bad):
        row = int(bad[0])
        expected = f"expected a fold from 0 to {_MOST_FOLDS}, -1 for the holdout, or nothing"
        msg = f"{table.place(row)}: fold_column: {expected}, got {table.cells[k][row]!r:.60}"
        raise DataError(msg, slug="data/given-folds")
    numbers = np.array([TRAIN_ONLY if n is None else n for n in known] or [0])[codes]
    positive = numbers[numbers >= 0]
    if not len(positive) or positive.min() != 1:
        return numbers, ()
    shifted = np.where(numbers > 0, numbers - 1, numbers)
    return shifted, (f"folds of {table.columns[k]!r} count from 1: here they are 0 and up",)


def _number(text: str) -> int | None:
    if not text:
        return TRAIN_ONLY
    match = _NUMBER.fullmatch(text)
    number = int(match[1]) if match else -9
    return number if HOLDOUT <= number <= _MOST_FOLDS else None
