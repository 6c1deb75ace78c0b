"""Tables as they are written: rows come one by one, and the file has its name once it is whole."""

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fivefold.core.durable import Streamed, resource_error
from fivefold.core.errors import DataError

_AT_ONCE = 4096
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Replace a CSV table durably, in UTF-8 with commas.

    Args:
        path: Where to.
        header: Names of the columns.
        rows: A cell for each column; there may be millions.

    Returns:
        How many rows there are.

    Raises:
        DataError: If a cell cannot be written as UTF-8.
        ResourceError: If the disk is full, read-only or failing; there is then no new file.
    """
    count = 0
    try:
        with Streamed(path.parent) as streamed:
            text = io.StringIO()
            text.write(_line(header))
            for count, row in enumerate(rows, 1):
                text.write(_line(row))
                if count % _AT_ONCE == 0:
                    streamed.file.write(_encoded(path, text))
            streamed.file.write(_encoded(path, text))
            streamed.commit(path)
    except OSError as error:
        raise resource_error(path, error) from error
    return count


def _line(cells: Sequence[str]) -> str:
    """Write a row. Python's writer leaves a lone carriage return as it is, which ends a line."""
    quoted = (
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
        for cell in cells
    )
    return ",".join(quoted) + "\n"


def _encoded(path: Path, text: io.StringIO) -> bytes:
    """Take what has been gathered."""
    found = text.getvalue()
    text.seek(0)
    text.truncate()
    try:
        return found.encode("utf-8")
    except UnicodeEncodeError as error:
        line = found[: error.start].rpartition("\n")[2] + found[error.start :].partition("\n")[0]
        msg = f"{path}: expected names in UTF-8, got {line!r:.200}"
        hint = "rename the file: neither a table nor JSON can name it"
        raise DataError(msg, hint=hint, slug="data/name-not-text") from error
