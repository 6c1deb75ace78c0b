"""The metrics of one stage, one row an epoch, as a CSV file that people and tools can read."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from fivefold.core.durable import write_text
from fivefold.core.errors import StateError

_EPOCH = "epoch"
_MISSING = "NA"


def write_history(path: Path, rows: Sequence[Mapping[str, float]]) -> str:
    """Write a stage's metrics durably; the same rows give the same bytes.

    Columns are `epoch`, then every metric that any row has, sorted by name. Numbers are written
    with as few digits as give the same number back; a metric that a row lacks is `NA`.

    Args:
        path: The file to replace, `RunFolder.metrics(fold, stage)`.
        rows: Metric to value, one mapping an epoch; the first is epoch 0.

    Returns:
        The SHA-256 of the file.

    Raises:
        ValueError: If a metric is called `epoch`: a row's position says its epoch.
    """
    names = sorted({name for row in rows for name in row})
    if _EPOCH in names:
        msg = f"{path}: expected metrics in the rows, got {_EPOCH!r}: the position says the epoch"
        raise ValueError(msg)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_EPOCH, *names])
    for epoch, row in enumerate(rows):
        cells = (repr(float(row[name])) if name in row else _MISSING for name in names)
        writer.writerow([epoch, *cells])
    return write_text(path, text.getvalue())


def read_history(path: Path) -> list[dict[str, float]]:
    """Read what `write_history` wrote: metric to value, one mapping an epoch.

    Raises:
        StateError: If the file is missing or is not such a table.
    """
    try:
        # Not `splitlines`: it would also break at characters that a metric's name may hold.
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        _check_header(header)
        return [_read_row(header, line, epoch) for epoch, line in enumerate(lines)]
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: expected a table of metrics, got {error}"
        hint = "the file is damaged; delete it and run `fivefold fit` again"
        raise StateError(msg, hint=hint, slug="state/damaged") from error


def _check_header(header: list[str]) -> None:
    if header[:1] != [_EPOCH] or len(set(header)) != len(header):
        msg = f"the header {header!r}"
        raise ValueError(msg)


def _read_row(header: list[str], line: list[str], epoch: int) -> dict[str, float]:
    if len(line) != len(header) or line[0] != str(epoch):
        msg = f"row {epoch}: {line!r} under {header!r}"
        raise ValueError(msg)
    cells = zip(header[1:], line[1:], strict=True)
    return {name: float(cell) for name, cell in cells if cell != _MISSING}
