"""Which columns of a table hold what."""

import heapq
import re
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, cast

from fivefold.core.errors import DataError, did_you_mean
from fivefold.data.named_files import file_of, is_file
from fivefold.data.text_table import CodedTexts, Table, coded

Key: TypeAlias = Literal[
    "image_column",
    "label_column",
    "indicator_columns",
    "group_column",
    "weight_column",
    "split_column",
    "fold_column",
    "rle_column",
    "class_column",
]

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
_OTHER_NAMES = {
    "fold": "fold_column",
    "folds": "fold_column",
    "kfold": "fold_column",
    "split": "split_column",
    "subset": "split_column",
    "group": "group_column",
    "patient": "group_column",
    "patient_id": "group_column",
    "subject": "group_column",
    "subject_id": "group_column",
    "video": "group_column",
    "video_id": "group_column",
    "weight": "weight_column",
    "sample_weight": "weight_column",
}
"""Names of columns that are only read when the config says so, and the key that does."""
_INDEX_NAMES = ("", "index", "unnamed_0")
FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
"""What cells of an indicator column may be, in small letters."""
_LOOKED_AT = 64


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
        return named_column(path, table, name, "image_column")
    usual = _usual(table, _IMAGE_NAMES)
    for k in usual:
        if _hits(table, k, images_dir, extension):
            return k
    hits = [_hits(table, k, images_dir, extension) for k in range(len(table.columns))]
    chosen = [k for k, hit in enumerate(hits) if hit == max(hits)] if max(hits) else usual
    if not chosen:
        raise _unclear(path, table, "image_column", _IMAGE_NAMES[0])
    return chosen[0]


def find_label_columns(
    path: Path,
    table: Table,
    names: str | Sequence[str] | None,
    image: int,
    taken: Collection[int] = (),
) -> list[int]:
    """Find the columns of labels: as named, else by a usual name, else the only other one.

    Args:
        path: The table's file, for messages.
        table: Its columns and rows.
        names: The column's name where it is given, or several for one output each.
        image: Which column has the images.
        taken: Which other columns have something else.

    Raises:
        ColumnError: If there is no such column, or none can be told.
    """
    if names is not None:
        asked = [names] if isinstance(names, str) else names
        return [named_column(path, table, name, "label_column") for name in asked]
    others = [k for k in range(len(table.columns)) if k != image and k not in taken]
    usual = [k for k in _usual(table, _LABEL_NAMES) if k in others]
    chosen = usual or (others if len(others) == 1 else [])
    if not chosen:
        raise _unclear(path, table, "label_column", _LABEL_NAMES[0])
    return chosen[:1]


def found_indicators(table: Table, image: int, taken: Collection[int]) -> list[int]:
    """Find columns of 0 and 1, one for each class: only where all columns left over are such.

    Args:
        table: Its columns and rows.
        image: Which column has the images.
        taken: Which other columns have something else.

    Returns:
        At least two columns, or none.
    """
    plain = _plain_names(table)
    left = [
        k
        for k in range(len(table.columns))
        if k != image and k not in taken and plain[k] not in (*_INDEX_NAMES, *_OTHER_NAMES)
    ]
    if len(left) < 2 or not len(table) or any(plain[k] in _LABEL_NAMES for k in left):
        return []
    return left if all(_is_indicator(table.cells[k]) for k in left) else []


def unread_columns(table: Table, read: Collection[int]) -> list[tuple[str, Key]]:
    """List columns whose names say that they matter, and that nobody reads, each with its key."""
    found = [
        (table.columns[k], _OTHER_NAMES[name])
        for k, name in enumerate(_plain_names(table))
        if name in _OTHER_NAMES and k not in read
    ]
    return [(name, cast("Key", key)) for name, key in found]


def named_column(path: Path, table: Table, name: str, key: Key) -> int:
    """Find a column by its name.

    Raises:
        ColumnError: If there is none.
    """
    if name in table.columns:
        return table.columns.index(name)
    hint = did_you_mean(name, table.columns, f"it has {_listed(table.columns)}")
    message = f"expected one of the table's columns, got {name!r}"
    raise ColumnError(path, key, message, hint=hint, slug="data/missing-column")


def _is_indicator(cells: Sequence[str]) -> bool:
    return all(cell.strip().casefold() in FLAGS for cell in coded(cells).names)


def _plain_names(table: Table) -> list[str]:
    """Write names as usual ones are: "File Name" is file_name."""
    return [re.sub(r"[\W_]+", "_", column.casefold()).strip("_") for column in table.columns]


def _usual(table: Table, names: Sequence[str]) -> list[int]:
    """List the columns with usual names, the most usual one first."""
    plain = _plain_names(table)
    return [plain.index(name) for name in names if name in plain]


def _hits(table: Table, column: int, images_dir: Path, extension: str | None) -> int:
    """Count the cells of a column that are files, among some that no order of the rows changes."""
    texts = table.cells[column]
    names = texts.names if isinstance(texts, CodedTexts) else texts
    some = heapq.nsmallest(_LOOKED_AT, names, key=_lot)
    cells = {cell.strip() for cell in some}
    return sum(is_file(file_of(images_dir, cell, extension)) for cell in cells if cell)


def _lot(cell: str) -> tuple[int, str]:
    return zlib.crc32(cell.encode("utf-8", "surrogatepass")), cell


def _unclear(path: Path, table: Table, key: Key, example: str) -> ColumnError:
    message = f"expected a column such as {example!r}, got {_listed(table.columns)}"
    hint = f"set `{key}` to one of them"
    if key == "label_column":
        hint += ", or `indicator_columns` to those of 0 and 1, one for each class"
    return ColumnError(path, key, message, hint=hint, slug="data/columns")


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(map(repr, columns[:20]))
    return shown if len(columns) <= 20 else f"{shown} and {len(columns) - 20} more"
