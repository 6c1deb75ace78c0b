"""A table of texts in little memory: by columns, each distinct text once where they are few."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.packed import GatheredTexts, PackedTexts, Texts, small

_MOST_DISTINCT = 1 << 16
"""With more distinct texts a column is packed: an object for each would take more."""
LIST_SIGN = "\x1f"
"""What stands between the texts of a cell that is a list, as Parquet files may have them."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        line: Where it begins, from 1; of a file without lines which row it is.
        cells: One text for each column.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """A table's columns and their cells.

    Attributes:
        path: Its file.
        columns: Their names, each once.
        cells: The texts of each column [N].
        lines: Where each row begins, from 1 [N].
        lists: Which columns have lists, whose texts `LIST_SIGN` separates.
        unit: What `lines` counts: "line", or "row" where a file has no lines.
    """

    path: Path
    columns: tuple[str, ...]
    cells: tuple[Sequence[str], ...]
    lines: AnyArray
    lists: frozenset[int] = frozenset()
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The rows, made when they are asked for."""
        return _Rows(self)

    def place(self, row: int) -> str:
        """Say where a row is, for a message: "table.csv:7"."""
        line = int(self.lines[row])
        return f"{self.path}:{line}" if self.unit == "line" else f"{self.path}: {self.unit} {line}"


class _Rows(Sequence[Row]):
    def __init__(self, table: Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, i: int) -> Row: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, i: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(i, slice):
            return tuple(map(self._at, range(len(self))[i]))
        return self._at(range(len(self))[i])

    def __iter__(self) -> Iterator[Row]:
        return map(self._at, range(len(self)))

    def _at(self, k: int) -> Row:
        return Row(int(self._table.lines[k]), tuple(cells[k] for cells in self._table.cells))


class CodedTexts(Texts):
    """Texts of which many are equal.

    Args:
        names: Each distinct one once.
        codes: The place of each text among them [N].
    """

    def __init__(self, names: Sequence[str], codes: Indices) -> None:
        self.names = tuple(names)
        self.codes = small(codes)

    def __len__(self) -> int:
        return len(self.codes)

    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""
        return self.names[int(self.codes[k])]


class GatheredColumn:
    """A column whose cells come some at a time."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._codes = array("i")
        self._many: GatheredTexts | None = None

    def extend(self, cells: Sequence[str]) -> None:
        """Take the next cells."""
        if self._many is not None:
            for cell in cells:
                self._many.add(cell)
            return
        for cell in dict.fromkeys(cells):
            self._known.setdefault(cell, len(self._known))
        self._codes.extend(map(self._known.__getitem__, cells))
        if len(self._known) > _MOST_DISTINCT:
            self._many = GatheredTexts(PackedTexts)
            names = tuple(self._known)
            for code in self._codes:
                self._many.add(names[code])
            self._known, self._codes = {}, array("i")

    def done(self) -> Texts:
        """Give all cells."""
        if self._many is not None:
            return self._many.done()
        return CodedTexts(tuple(self._known), np.asarray(self._codes, dtype=np.int64))


def coded(texts: Iterable[str]) -> CodedTexts:
    """Number texts by what they say, in the order in which each is met first."""
    if isinstance(texts, CodedTexts):
        return texts
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int64)
    return CodedTexts(tuple(known), codes)
