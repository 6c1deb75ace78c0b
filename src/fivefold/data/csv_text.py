"""A CSV file's header and rows, each with its line number."""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fivefold.core.errors import DataError
from fivefold.data.decode import Limits, read_bytes
from fivefold.data.image_problem import ImageProblem, Reason

_DELIMITERS = (",", ";", "\t")
_LONGEST = 65_536
_LARGEST = 1_000_000_000


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        line: Where it ends, from 1.
        cells: One text for each column.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table's columns and rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path, fallback: str = "") -> Table:
    """Read a CSV file in UTF-8, with or without a mark at its start.

    The delimiter is the one of comma, semicolon and tab that gives the header most columns. Empty
    lines do not count.

    Args:
        path: The file.
        fallback: The encoding of a file that is no UTF-8, such as "cp1251"; none if not given.

    Raises:
        DataError: If it is missing, no regular file, too large, empty, in another encoding, or a
            row has more or fewer cells than the header.
    """
    text = _text_of(path, fallback)
    header_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda sign: len(_cells_of_line(header_line, sign)))
    rows = _rows_of(path, text, delimiter)
    if not rows:
        msg = f"{path}: expected a table with a header, got an empty file"
        raise _broken(msg)
    columns = tuple(cell.strip() for cell in rows[0].cells)
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        msg = f"{path}:{rows[0].line}: expected different column names, got {twice} twice"
        raise _broken(msg)
    for row in rows[1:]:
        if len(row.cells) != len(columns):
            found = f"expected {len(columns)} cells, got {len(row.cells)}"
            msg = f"{path}:{row.line}: {found}: {row.cells[:3]!r}"
            raise _broken(msg)
    return Table(columns, tuple(rows[1:]))


def _text_of(path: Path, fallback: str) -> str:
    data = _bytes_of(path)
    try:
        text = _decoded(data, fallback)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{path}:{line}: expected UTF-8 text, got the byte {data[error.start]:#04x}"
        raise _broken(msg, "save the table as CSV in UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        msg = f"{path}:{line}: expected text, got a NUL character"
        raise _broken(msg)
    return text


def _decoded(data: bytes, fallback: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if not fallback:
            raise
        with suppress(UnicodeDecodeError):
            return data.decode(fallback)
        raise


def _bytes_of(path: Path) -> bytes:
    try:
        return read_bytes(path, limits=Limits(max_bytes=_LARGEST))
    except ImageProblem as problem:
        if problem.reason in (Reason.NOT_REGULAR_FILE, Reason.TOO_LARGE):
            kind = f"a regular file of at most {_LARGEST // 10**6:,} MB"
            msg = f"{path}: expected {kind}, got {problem.detail}"
            hint = "name a CSV file; what comes through a pipe has to be saved first"
            raise DataError(msg, hint=hint, slug="data/table-file") from problem
        reason = getattr(problem.__cause__, "strerror", None) or problem.detail
        msg = f"{path}: expected a readable table, got {reason}"
        raise DataError(msg, hint="check the path", slug="data/missing-table") from problem


def _cells_of_line(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # not the delimiter, or the full reading reports it with its line
        return []


def _rows_of(path: Path, text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    try:
        for cells in reader:
            if max(map(len, cells), default=0) > _LONGEST:
                found = f"expected cells of at most {_LONGEST:,} letters, got a longer one"
                msg = f"{path}:{reader.line_num}: {found}"
                raise _broken(msg)
            if any(cell.strip() for cell in cells):
                rows.append(Row(reader.line_num, tuple(cells)))
    except csv.Error as error:
        msg = f"{path}:{reader.line_num}: expected a CSV row, got: {error}"
        raise _broken(msg) from error
    return rows


def _broken(message: str, hint: str = "mend the table, or save it again as CSV") -> DataError:
    return DataError(message, hint=hint, slug="data/table")
