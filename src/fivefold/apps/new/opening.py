"""Opens what `fivefold new` is pointed at: folders of classes, tables, COCO files, tar files."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data import (
    ColumnKeys,
    CsvSource,
    FolderSource,
    ParquetSource,
    Source,
)
from fivefold.data.coco import CocoSource
from fivefold.data.columns import ColumnError
from fivefold.data.table import TableSource
from fivefold.data.tars import ShardSource
from fivefold.experiment.named_data import check_encoding
from fivefold.experiment.option_words import in_options, told_in_options

LOOKED_AT = 32
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # how the hub names data sets
_KINDS = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".json": "coco"}
_SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")  # of the package `datasets`


@dataclass(frozen=True)
class TableChoice:
    """How a table is to be read; None is found by looking at it.

    Attributes:
        images: The folder of its images; of a COCO file likewise.
        image_column: The column of file names or ids; of tar files the ending of images.
        label_columns: The columns of labels; several are one output each.
        separator: What stands between several labels in one cell; found if not given.
        indicator_columns: The columns of 0 and 1 that are classes, where they were found.
        encoding: Of a table in a file of text; UTF-8 if not given.
        boxes_as_labels: Of a COCO file: boxes are labels of their images.
        left: Columns that nothing is read from, where those of labels were found by looking.
    """

    images: Path | None = None
    image_column: str | None = None
    label_columns: tuple[str, ...] = ()
    separator: str | None = None
    indicator_columns: tuple[str, ...] = ()
    encoding: str | None = None
    boxes_as_labels: bool = False
    left: tuple[str, ...] = ()

    def first_option(self) -> str:
        """Name an option of `fivefold new` that this was made from; empty without any."""
        options = {
            "--images": self.images,
            "--image-column": self.image_column,
            "--label-column": self.label_columns,
            "--separator": self.separator,
        }
        return next((option for option, value in options.items() if value), "")


FOUND = TableChoice()
"""Everything about a table is found by looking at it."""


@dataclass(frozen=True)
class Looked:
    """What was opened.

    Attributes:
        source: Reads it.
        kind: The key of `dataset` that names such data.
        table: How it is read; None for a folder of classes.
    """

    source: Source
    kind: str
    table: TableChoice | None


_OPTIONS = {"images", "image_column", "label_column", "separator", "encoding", "boxes: labels"}
"""Keys of a config that `fivefold new` has an option for."""


def open_any(data: Path, choice: TableChoice) -> Looked:
    """Open data by what they look like; messages name options, and no keys.

    Raises:
        ConfigError: If there is no such encoding.
        DataError: If there are no such data, or options that do not go with them.
    """
    with told_in_options(_OPTIONS):
        looked = _looked(data, choice)
    warnings = looked.source.warnings
    looked.source.warnings = tuple(in_options(text, _OPTIONS) for text in warnings)
    return looked


def _looked(data: Path, choice: TableChoice) -> Looked:
    kind = _KINDS.get(data.suffix.lower(), "")
    _refuse_of_others(data, kind, choice)
    if kind and data.is_file():
        if kind == "coco":
            _refuse(data, replace(choice, images=None), "a COCO file")
        return _open_beside(data, kind, choice)
    if data.suffix.lower() == ".tar" and not data.is_dir():
        return _open_shards(data, choice)
    _refuse(data, choice, "a folder of classes")
    _refuse_others(data)
    return Looked(FolderSource(data), "folder", None)


def spread(total: int) -> list[int]:
    """Choose some positions, evenly."""
    return sorted({int(i) for i in np.linspace(0, total - 1, min(total, LOOKED_AT))})


def _refuse(data: Path, choice: TableChoice, what: str) -> None:
    if option := choice.first_option():
        msg = f"{data}: expected a table beside {option}, got no table"
        raise DataError(msg, hint=f"{what} needs no {option}", slug="data/not-a-table")


def _refuse_of_others(data: Path, kind: str, choice: TableChoice) -> None:
    """Refuse options that go with one kind of data alone, and an encoding that there is none."""
    options = (
        ("--encoding", choice.encoding, "csv", "a table in a file of text"),
        ("--boxes-as-labels", choice.boxes_as_labels, "coco", "a COCO file"),
    )
    for option, given, own, wanted in options:
        if given and kind != own:
            msg = f"{data}: expected {wanted} beside {option}, got none"
            raise DataError(msg, hint=f"leave {option} out", slug="data/not-a-table")
    check_encoding(choice.encoding)


def _refuse_others(data: Path) -> None:
    """Say which key to write for data that can be trained on, but not looked at here."""
    saved = next((name for name in _SAVED if (data / name).is_file()), "")
    of_hub = not data.parent.exists() and _HUB.fullmatch(data.as_posix())
    if not (saved or data.is_file() or of_hub):
        return
    expected = "expected a folder of classes, a CSV or Parquet table, a COCO file or tar files"
    if of_hub:
        msg = f"{data}: {expected}, got nothing there"
        hint = "for a data set of the Hugging Face hub write into a config of your own: "
        hint += f"`dataset: {{hub: {data.as_posix()}}}`"
    elif saved:
        msg = f"{data}: {expected}, got a data set of the package `datasets`"
        hint = f"write `dataset: {{hub: {data.name}}}` into a config of your own"
    else:
        msg = f"{data}: {expected}, got a file ending in {data.suffix!r}"
        hint = "`dataset: {python: file.py:Name}` in a config of your own reads anything"
    raise DataError(msg, hint=hint, slug="data/not-data")


def _open_shards(data: Path, choice: TableChoice) -> Looked:
    if choice.images or len(choice.label_columns) > 1:
        option = "--images" if choice.images else "a second --label-column"
        msg = f"{data}: expected a table beside {option}, got tar files"
        hint = "tar files hold their images, and one kind of labels"
        raise DataError(msg, hint=hint, slug="data/not-a-table")
    label = choice.label_columns[0] if choice.label_columns else None
    source = ShardSource(
        data, image_ending=choice.image_column, label=label, separator=choice.separator
    )
    return Looked(source, "shards", choice)


def _opener(data: Path, kind: str, choice: TableChoice) -> Callable[[Path], Source]:
    if kind == "coco":
        boxes: Literal["labels"] | None = "labels" if choice.boxes_as_labels else None
        return lambda folder: CocoSource(data, folder, boxes=boxes)
    keys: ColumnKeys = {
        "image_column": choice.image_column,
        "label_column": choice.label_columns or None,
        "separator": choice.separator,
    }
    if kind == "parquet":
        return lambda folder: ParquetSource(data, folder, **keys)
    return lambda folder: CsvSource(data, folder, encoding=choice.encoding, **keys)


def _open_beside(data: Path, kind: str, choice: TableChoice) -> Looked:
    """Open a table or COCO file with the folder in which most of its first images are."""
    beside = sorted(entry for entry in data.parent.iterdir() if entry.is_dir())
    folders = [choice.images] if choice.images else [data.parent, *beside]
    opened: list[tuple[Source, Path]] = []
    refused: list[ColumnError] = []
    open_in = _opener(data, kind, choice)
    for folder in folders:
        try:
            source = open_in(folder)
        except ColumnError as error:  # columns are told by the files that they name: try others
            refused.append(error)
        else:
            opened.append((source, folder))
    found = [sum(_exists(source, i) for i in spread(len(source))) for source, _ in opened]
    if refused and not max(found, default=0):
        raise max(refused, key=lambda error: error.key)
    if not max(found):
        msg = f"{data}: expected its images in {choice.images or data.parent}, found none of them"
        hint = "say where they are: --images DIR"
        raise DataError(msg, hint=hint, slug="data/images-not-found")
    source, folder = opened[int(np.argmax(found))]
    return Looked(source, kind, _as_read(source, folder, choice))


def _as_read(source: Source, folder: Path, choice: TableChoice) -> TableChoice:
    if not isinstance(source, TableSource):
        return TableChoice(folder, boxes_as_labels=choice.boxes_as_labels)
    signs = set(source.separators)
    # A config has one separator for all columns: where they differ, each is found again.
    separator = signs.pop() if len(signs) == 1 else None
    return TableChoice(
        folder,
        source.image_column,
        source.label_columns,
        separator,
        source.indicator_columns,
        choice.encoding,
        left=() if choice.label_columns else source.unread_columns,
    )


def _exists(source: Source, i: int) -> bool:
    return bool(source.stamp(i))  # unlike `is_file`, it takes names of any length
