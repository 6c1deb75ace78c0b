"""A Parquet file's columns as texts, some rows at a time."""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.optional import require
from fivefold.data.csv_text import broken, check_names
from fivefold.data.packed import small
from fivefold.data.text_table import LIST_SIGN, GatheredColumn, Table

_LONGEST = 65_536
_LARGEST = 10_000_000_000
_MOST_ROWS = 100_000_000
_AT_ONCE = 4096  # rows that are objects at a time
_HINT = "write the table again, for example with pandas: `frame.to_parquet(path)`"


def read_parquet(path: Path) -> Table:
    """Read the columns of texts, numbers, truth values and dates, and of lists of them.

    Whole numbers are written without a point, truth values as 0 and 1; nothing is an empty cell.
    Columns of bytes and of structures are no columns of the table.

    Args:
        path: The file.

    Raises:
        DataError: If it is missing, no regular file, too large, or no Parquet file.
        MissingExtraError: If `pyarrow` is not installed.
    """
    _check_file(path)
    parquet, arrow = require("pyarrow.parquet", extra="tables"), require("pyarrow", extra="tables")
    try:
        # Threads of its own would be there when folds are forked.
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            _check_rows(path, file.metadata.num_rows)
            schema = file.schema_arrow
            kinds = [(field.name, _kind(arrow.types, field.type)) for field in schema]
            names = tuple(name for name, kind in kinds if kind)
            check_names(str(path), [name.strip() for name, _ in kinds])
            if not names:
                msg = f"{path}: expected columns of texts or numbers, got {len(kinds)} others"
                raise broken(msg, _HINT)
            lists = frozenset(names.index(name) for name, kind in kinds if kind == "list")
            batches = file.iter_batches(_AT_ONCE, columns=list(names), use_threads=False)
            return _gathered(path, names, lists, batches)
    # LookupError: a time zone that nobody knows
    except (arrow.ArrowException, OSError, ValueError, OverflowError, LookupError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        msg = f"{path}: expected a Parquet file, got: {first:.200}"
        raise broken(msg, _HINT) from error


def _check_file(path: Path) -> None:
    if not path.exists():
        msg = f"{path}: expected a readable table, got No such file or directory"
        raise DataError(msg, hint="check the path", slug="data/missing-table")
    if not path.is_file() or path.stat().st_size > _LARGEST:
        got = f"{path.stat().st_size:,} bytes" if path.is_file() else "another kind"
        kind = f"a regular file of at most {_LARGEST // 10**6:,} MB"
        msg = f"{path}: expected {kind}, got {got}"
        raise DataError(msg, hint="name a Parquet file", slug="data/table-file")


def _check_rows(path: Path, count: int) -> None:
    """Refuse more rows than anybody has images: a few bytes may stand for any number."""
    if count > _MOST_ROWS:
        msg = f"{path}: expected at most {_MOST_ROWS:,} rows, got {count:,}"
        raise DataError(msg, hint="write those that are needed", slug="data/table-file")


def _kind(types: Any, kind: Any) -> str:
    """Say how a column's values are written: "cell", "list", or nothing where they are not."""
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return "list" if _kind(types, kind.value_type) == "cell" else ""
    if types.is_dictionary(kind):
        return _kind(types, kind.value_type)
    plain = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_boolean,
        types.is_temporal,
        types.is_null,
    )
    return "cell" if any(is_kind(kind) for is_kind in plain) else ""


def _gathered(
    path: Path, names: tuple[str, ...], lists: frozenset[int], batches: Iterator[Any]
) -> Table:
    columns, count = [GatheredColumn() for _ in names], 0
    for batch in batches:
        places = {name: place for place, name in enumerate(batch.schema.names)}
        for k, column in enumerate(columns):
            # A structure comes along if what is in it is called like a column: "a" with b and "a.b"
            values = batch.column(places[names[k]]).to_pylist()
            cells = [_joined(value) if k in lists else _text(value) for value in values]
            _check_length(f"{path}: {names[k]!r}", cells, count)
            column.extend(cells)
        count += len(batch)
    lines = small(np.asarray(array("q", range(1, count + 1)), dtype=np.int64))
    done = tuple(column.done() for column in columns)
    return Table(path, tuple(name.strip() for name in names), done, lines, lists, "row")


def _check_length(where: str, cells: Sequence[str], before: int) -> None:
    if max(map(len, cells), default=0) <= _LONGEST:
        return
    row = before + next(i for i, cell in enumerate(cells) if len(cell) > _LONGEST) + 1
    msg = f"{where}: row {row}: expected cells of at most {_LONGEST:,} letters, got a longer one"
    raise broken(msg, _HINT)


def _joined(value: Any) -> str:
    return LIST_SIGN.join(_text(one) for one in value or ())


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
