"""Which columns of a table hold the images and the labels."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from fivefold.core.errors import DataError, did_you_mean
from fivefold.data.csv_text import Table
from fivefold.data.named_files import file_of, is_file

Key: TypeAlias = Literal["image_column", "label_column"]

_IMAGE_NAMES = (
    "image",
    "image_path",
    "image_file",
    "image_name",
    "image_id",
    "imageid",
    "filename",
    "file_name",
    "file",
    "filepath",
    "file_path",
    "path",
    "id",
    "name",
    "img",
)
_LABEL_NAMES = (
    "label",
    "labels",
    "class",
    "classes",
    "class_name",
    "target",
    "targets",
    "species",
    "category",
    "tag",
    "tags",
    "y",
)
_LOOKED_AT = 32


class ColumnError(DataError):
    """A column of a table cannot be found.

    Attributes:
        key: The config's key that names it.
        text: The message without its hint.
    """

    def __init__(self, where: Path, key: Key, message: str, *, hint: str, slug: str) -> None:
        self.key = key
        self.text = f"{where}: {key}: {message}"
        super().__init__(self.text, hint=hint, slug=slug)


def find_image_column(
    path: Path, table: Table, name: str | None, images_dir: Path, extension: str | None
) -> int:
    """Find the column of images: as named, else by its cells and by its name.

    A column with a usual name is taken when its cells are files; else the one with most cells that
    are; else one with a usual name, so that the audit can say which files are missing.

    Args:
        path: The table's file, for messages.
        table: Its columns and rows.
        name: The column's name where it is given.
        images_dir: Where the images are.
        extension: The ending to try first.

    Raises:
        ColumnError: If there is no such column, or none can be told.
    """
    if name is not None:
        return _named(path, table, name, "image_column")
    usual = _usual(table, _IMAGE_NAMES)
    hits = [_hits(table, k, images_dir, extension) for k in range(len(table.columns))]
    found = [k for k in usual if hits[k]] or [k for k, hit in enumerate(hits) if hit == max(hits)]
    chosen = found if max(hits) else usual
    if not chosen:
        raise _unclear(path, table, "image_column", _IMAGE_NAMES[0])
    return chosen[0]


def find_label_columns(
    path: Path, table: Table, names: str | Sequence[str] | None, image: int
) -> list[int]:
    """Find the columns of labels: as named, else by a usual name, else the only other one.

    Args:
        path: The table's file, for messages.
        table: Its columns and rows.
        names: The column's name where it is given, or several for one output each.
        image: Which column has the images.

    Raises:
        ColumnError: If there is no such column, or none can be told.
    """
    if names is not None:
        asked = [names] if isinstance(names, str) else names
        return [_named(path, table, name, "label_column") for name in asked]
    others = [k for k in range(len(table.columns)) if k != image]
    usual = [k for k in _usual(table, _LABEL_NAMES) if k != image]
    chosen = usual or (others if len(others) == 1 else [])
    if not chosen:
        raise _unclear(path, table, "label_column", _LABEL_NAMES[0])
    return chosen[:1]


def _named(path: Path, table: Table, name: str, key: Key) -> int:
    if name in table.columns:
        return table.columns.index(name)
    hint = did_you_mean(name, table.columns, f"it has {_listed(table.columns)}")
    message = f"expected one of the table's columns, got {name!r}"
    raise ColumnError(path, key, message, hint=hint, slug="data/missing-column")


def _usual(table: Table, names: Sequence[str]) -> list[int]:
    """List the columns with usual names, the most usual one first."""
    plain = [re.sub(r"[\W_]+", "_", column.casefold()).strip("_") for column in table.columns]
    return [plain.index(name) for name in names if name in plain]


def _hits(table: Table, column: int, images_dir: Path, extension: str | None) -> int:
    """Count the cells of a column that are files, among some that are spread evenly."""
    step = max(1, len(table.rows) // _LOOKED_AT)
    cells = {row.cells[column].strip() for row in table.rows[::step][: 2 * _LOOKED_AT]}
    return sum(is_file(file_of(images_dir, cell, extension)) for cell in cells if cell)


def _unclear(path: Path, table: Table, key: Key, example: str) -> ColumnError:
    message = f"expected a column such as {example!r}, got {_listed(table.columns)}"
    return ColumnError(path, key, message, hint=f"set `{key}` to one of them", slug="data/columns")


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(map(repr, columns[:20]))
    return shown if len(columns) <= 20 else f"{shown} and {len(columns) - 20} more"
