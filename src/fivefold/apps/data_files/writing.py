"""Tables as they are written: rows come one by one, and the file has its name once it is whole."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

from fivefold.core.durable import Streamed, resource_error
from fivefold.core.errors import DataError

_AT_ONCE = 4096
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


class RowFile:
    """A CSV table in UTF-8 with commas that is written row by row; there may be millions.

    As a context it throws away what was not committed.

    Args:
        path: Where to.
        header: Names of the columns.

    Attributes:
        path: Where to.
        rows: How many rows were added.

    Raises:
        DataError: If a name cannot be written as UTF-8.
        ResourceError: If the disk is full, read-only or failing; there is then no new file.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path, self.rows = path, 0
        self._waiting = [_line(header)]
        try:
            self._streamed = Streamed(path.parent)
        except OSError as error:
            raise resource_error(path, error) from error

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._streamed.discard()

    def add(self, row: Sequence[str]) -> None:
        """Add a row with a cell for each column."""
        self.rows += 1
        self._waiting.append(_line(row))
        if len(self._waiting) >= _AT_ONCE:
            self._put()

    def settle(self) -> None:
        """Have all rows on the disk, so that none of several files gets its name without others."""
        self._put()
        try:
            self._streamed.file.flush()
            os.fsync(self._streamed.file.fileno())
        except OSError as error:
            raise resource_error(self.path, error) from error

    def commit(self) -> None:
        """Give the file its name."""
        self._put()
        self._streamed.commit(self.path)

    def _put(self) -> None:
        try:
            self._streamed.file.write("".join(self._waiting).encode("utf-8"))
        except UnicodeEncodeError as error:
            line = next(line for line in self._waiting if not _is_text(line)).rstrip("\n")
            msg = f"{self.path}: expected names in UTF-8, got {line!r:.200}"
            hint = "rename the file: neither a table nor JSON can name it"
            raise DataError(msg, hint=hint, slug="data/name-not-text") from error
        except OSError as error:
            raise resource_error(self.path, error) from error
        self._waiting = []


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Replace a CSV table durably; see `RowFile`.

    Returns:
        How many rows there are.
    """
    with RowFile(path, header) as file:
        for row in rows:
            file.add(row)
        file.commit()
    return file.rows


def _line(cells: Sequence[str]) -> str:
    """Write a row. Python's writer leaves a lone carriage return as it is, which ends a line."""
    quoted = (
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
        for cell in cells
    )
    return ",".join(quoted) + "\n"


def _is_text(line: str) -> bool:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
