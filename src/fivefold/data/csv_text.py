"""A CSV file's header and rows, each with its line number."""

import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NoReturn, cast

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data.decode import Limits, read_bytes
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.packed import small
from fivefold.data.text_encoding import first_bad_byte, guessed
from fivefold.data.text_table import GatheredColumn, Table

_DELIMITERS = (",", ";", "\t")
_LONGEST = 65_536
_LARGEST = 1_000_000_000
_AT_ONCE = 4096  # rows that are objects at a time
_SHOWN = 10


def read_table(path: Path, fallback: str = "", encoding: str = "") -> Table:
    """Read a CSV file, with or without a mark of UTF-8 at its start.

    The delimiter is the one of comma, semicolon and tab that gives the header most columns. Empty
    lines do not count.

    Args:
        path: The file.
        fallback: The encoding of a file that is no UTF-8, such as "cp1251"; none if not given.
        encoding: The encoding of the file; UTF-8 if not given.

    Raises:
        DataError: If it is missing, no regular file, too large, empty, in another encoding, or a
            row has more or fewer cells than the header.
    """
    data = bytes_of_table(path, _LARGEST)
    text = io.TextIOWrapper(
        io.BytesIO(data), _encoding_of(path, data, fallback, encoding), newline=""
    )
    lines = _checked(path, text)
    blank: list[str] = []
    header = ""
    for header in lines:
        if header.strip():
            break
        blank.append(header)
    delimiter = max(_DELIMITERS, key=lambda sign: len(_cells_of_line(header, sign)))
    rows = _rows_of(path, chain(blank, [header], lines), delimiter)
    return _gathered(path, rows)


def bytes_of_table(path: Path, most: int) -> bytes:
    """Read a regular file that is not too large.

    Raises:
        DataError: If it is missing, unreadable, no regular file or too large.
    """
    try:
        return read_bytes(path, limits=Limits(max_bytes=most))
    except ImageProblem as problem:
        if problem.reason in (Reason.NOT_REGULAR_FILE, Reason.TOO_LARGE):
            kind = f"a regular file of at most {most // 10**6:,} MB"
            msg = f"{path}: expected {kind}, got {problem.detail}"
            hint = "name a table's file; what comes through a pipe has to be saved first"
            raise DataError(msg, hint=hint, slug="data/table-file") from problem
        reason = getattr(problem.__cause__, "strerror", None) or problem.detail
        msg = f"{path}: expected a readable table, got {reason}"
        raise DataError(msg, hint="check the path", slug="data/missing-table") from problem


def broken(message: str, hint: str = "mend the table, or save it again as CSV") -> DataError:
    """Word what is wrong with a table's text."""
    return DataError(message, hint=hint, slug="data/table")


def check_names(place: str, columns: Sequence[str]) -> None:
    """Make sure that columns have different names.

    Args:
        place: Where they are, for a message.
        columns: Their names.

    Raises:
        DataError: If they have not.
    """
    if twice := sorted(name for name, times in Counter(columns).items() if times > 1):
        more = f" and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
        msg = f"{place}: expected different column names, got {twice[:_SHOWN]}{more} twice"
        raise broken(msg)


def _encoding_of(path: Path, data: bytes, fallback: str, encoding: str) -> str:
    """Settle the encoding: as said, else UTF-8, else the fallback.

    Raises:
        DataError: If the bytes are no text in it.
    """
    asked = encoding or "utf-8-sig"
    bad = first_bad_byte(data, asked)
    if bad is None:
        return asked
    if fallback and not encoding and first_bad_byte(data, fallback) is None:
        return fallback
    line = data.count(b"\n", 0, bad) + 1
    wanted = f"text in {encoding!r}" if encoding else "UTF-8 text"
    got = f"the byte {data[bad]:#04x}" if bad < len(data) else "none"
    msg = f"{path}:{line}: expected {wanted}, got {got}"
    guess = guessed(data, bad)
    if guess is None or guess[0] == encoding:
        raise broken(msg, "save the table as CSV in UTF-8, or name its `encoding`")
    hint = (
        f"in {guess[0]} this reads {guess[1]!r:.80}: set `encoding: {guess[0]}`, or save in UTF-8"
    )
    raise broken(msg, hint)


def _checked(path: Path, text: Iterable[str]) -> Iterator[str]:
    """Read line by line what has no NUL in it.

    Raises:
        DataError: If it has.
    """
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            msg = f"{path}:{number}: expected text, got a NUL character"
            raise broken(msg)
        yield line


def _cells_of_line(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # not the delimiter, or the full reading reports it with its line
        return []


def _rows_of(path: Path, lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Read the rows that are not empty, each with the line on which it begins."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    has_header = False
    while True:
        begin = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            _refuse(path, (begin, reader.line_num), error, delimiter)
        if cells is None:
            return
        if max(map(len, cells), default=0) > _LONGEST:
            _refuse(path, (begin, reader.line_num), csv.Error("field larger"), delimiter)
        if any(map(str.strip, cells)):
            has_header = True
            yield begin, cells
        elif len(cells) > 1 and not has_header:
            # Passed over, the first row would be taken for the header, and be lost.
            msg = f"{path}:{begin}: expected names of columns, got {len(cells)} empty cells"
            raise broken(msg, "the first line of a table names its columns")


def _refuse(path: Path, lines: tuple[int, int], error: csv.Error, delimiter: str) -> NoReturn:
    """Say what is wrong with the row that begins and stops on these lines."""
    begin, last = lines
    text, long = str(error), "field larger" in str(error)
    if text == "unexpected end of data" or (long and last > begin):
        found = f"expected a quote that ends the cell begun here, got none up to line {last}"
        hint = 'a quote within a cell is written twice: ""'
        msg = f"{path}:{begin}: {found}"
        raise broken(msg, hint) from error
    if long:
        found = f"expected cells of at most {_LONGEST:,} letters, got a longer one"
        msg = f"{path}:{begin}: {found}"
        raise broken(msg) from error
    if "expected after" in text:
        found = f"expected {delimiter!r} or the end of the line behind a cell's last quote"
        hint = 'a quote within a cell is written twice: ""'
        msg = f"{path}:{last}: {found}, got more text"
        raise broken(msg, hint) from error
    msg = f"{path}:{begin}: expected a CSV row, got: {text}"
    raise broken(msg) from error


def _gathered(path: Path, rows: Iterator[tuple[int, list[str]]]) -> Table:
    """Put rows together by columns, the first of them being the header."""
    first = next(rows, None)
    if first is None:
        msg = f"{path}: expected a table with a header, got an empty file"
        raise broken(msg)
    columns = tuple(cell.strip() for cell in first[1])
    check_names(f"{path}:{first[0]}", columns)
    gathered, lines = [GatheredColumn() for _ in columns], array("i")
    some: list[list[str]] = []
    for line, cells in rows:
        if len(cells) != len(columns):
            _refuse_ragged(f"{path}:{line}", len(columns), cells)
        lines.append(line)
        some.append(cells)
        if len(some) == _AT_ONCE:
            _extend(gathered, some)
            some = []
    _extend(gathered, some)
    places = small(np.asarray(lines, dtype=np.int64))
    return Table(path, columns, tuple(column.done() for column in gathered), places)


def _extend(gathered: Sequence[GatheredColumn], rows: Sequence[Sequence[str]]) -> None:
    for column, cells in zip(gathered, zip(*rows, strict=True), strict=bool(rows)):
        column.extend(cast("tuple[str, ...]", cells))


def _refuse_ragged(place: str, expected: int, cells: Sequence[str]) -> NoReturn:
    shown = ", ".join(f"{cell!r:.40}" for cell in cells[:3])
    msg = f"{place}: expected {expected} cells, got {len(cells)}: {shown}"
    lines = any("\n" in cell for cell in cells)
    hint = "a quote may be missing: the row goes over several lines" if lines else ""
    more = "put quotes around a cell that holds the delimiter"
    raise broken(msg, hint or (more if len(cells) > expected else "mend the row"))
