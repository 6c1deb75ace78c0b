"""What can be said about a data set after a glance: classes, balance, sizes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data import CsvSource, FolderSource, ImageProblem, Labels, Source
from fivefold.data.columns import ColumnError
from fivefold.data.image_problem import Reason

logger = logging.getLogger(__name__)

_LOOKED_AT = 32
_TABLES = (".csv", ".tsv")
_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


@dataclass(frozen=True)
class TableChoice:
    """How a table is to be read; None is found by looking at it.

    Attributes:
        images: The folder of its images.
        image_column: The column of file names or ids.
        label_columns: The columns of labels; several are one output each.
        separator: What stands between several labels in one cell; found if not given.
    """

    images: Path | None = None
    image_column: str | None = None
    label_columns: tuple[str, ...] = ()
    separator: str | None = None

    def first_option(self) -> str:
        """Name an option of `fivefold new` that this was made from; empty without any."""
        options = {
            "--images": self.images,
            "--image-column": self.image_column,
            "--label-column": self.label_columns,
        }
        return next((option for option, value in options.items() if value), "")


FOUND = TableChoice()
"""Everything about a table is found by looking at it."""


@dataclass(frozen=True)
class Survey:
    """What a glance at the data has shown.

    Attributes:
        data: The folder or table, as given.
        table: How a table is read; None for a folder of classes.
        num_images: How many samples there are to read.
        outputs: What the labels answer.
        counts: For each output: class name to how many samples have it, in the classes' order.
        height: Median height in pixels of those looked at.
        width: Median width in pixels.
        unreadable: Ids of those looked at that cannot be read.
        missing: Ids of those looked at that are not there.
        looked_at: How many were looked at.
        excluded: Ids that were listed but left out, each with the rule that did it.
    """

    data: Path
    table: TableChoice | None
    num_images: int
    outputs: tuple[Labels, ...]
    counts: tuple[Mapping[str, int], ...]
    height: int
    width: int
    unreadable: tuple[str, ...]
    missing: tuple[str, ...]
    looked_at: int
    excluded: tuple[tuple[str, str], ...] = ()

    @property
    def images(self) -> Path | None:
        """The folder of a table's images; None for a folder of classes."""
        return self.table.images if self.table else None

    @property
    def exclusive(self) -> bool:
        """Whether every sample has exactly one class of each output."""
        return all(labels.exclusive for labels in self.outputs)

    @property
    def imbalance(self) -> float:
        """How many times larger the largest class of an output is than its smallest."""
        return max(max(own.values()) / max(1, min(own.values())) for own in self.counts)


def look_at(data: Path, choice: TableChoice = FOUND) -> Survey:
    """Count classes, and read a few images for their size.

    Args:
        data: A folder with one folder per class, or a CSV table.
        choice: How to read a table.

    Raises:
        DataError: If there is no such data, or it cannot be used.
    """
    if data.suffix.lower() in _TABLES and data.is_file():
        source, found = _open_table(data, choice)
        table: TableChoice | None = found
    elif option := choice.first_option():
        msg = f"{data}: expected a CSV table beside {option}, got no table"
        hint = f"a folder of classes needs no {option}"
        raise DataError(msg, hint=hint, slug="data/not-a-table")
    else:
        source, table = FolderSource(data), None
        _refuse_parts(data, source.labels[0].class_names)
    for text in source.warnings:
        logger.warning(text)
    sizes, unreadable, missing = _glance(source)
    return Survey(
        data=data,
        table=table,
        num_images=len(source),
        outputs=source.labels,
        counts=_counts(source),
        height=round(median(height for height, _ in sizes)),
        width=round(median(width for _, width in sizes)),
        unreadable=unreadable,
        missing=missing,
        looked_at=len(sizes) + len(unreadable) + len(missing),
        excluded=tuple(source.excluded),
    )


def _counts(source: Source) -> tuple[Mapping[str, int], ...]:
    targets = [target for i in range(len(source)) if (target := source.target(i)) is not None]
    totals = iter(np.sum(np.stack(targets), axis=0))
    return tuple({name: int(next(totals)) for name in own.class_names} for own in source.labels)


def _open_table(table: Path, choice: TableChoice) -> tuple[Source, TableChoice]:
    """Open a table with the folder in which most of its first images are."""
    beside = sorted(entry for entry in table.parent.iterdir() if entry.is_dir())
    folders = [choice.images] if choice.images else [table.parent, *beside]
    opened: list[tuple[CsvSource, Path]] = []
    refused: list[ColumnError] = []
    for folder in folders:
        try:
            source = CsvSource(
                table,
                folder,
                image_column=choice.image_column,
                label_column=choice.label_columns or None,
                separator=choice.separator,
            )
        except ColumnError as error:  # columns are told by the files that they name: try others
            refused.append(error)
        else:
            opened.append((source, folder))
    found = [sum(_exists(source, i) for i in _spread(len(source))) for source, _ in opened]
    if refused and not max(found, default=0):
        raise _column_option(max(refused, key=lambda error: error.key)) from refused[0]
    if not max(found):
        msg = f"{table}: expected its images in {choice.images or table.parent}, found none of them"
        hint = "say where they are: --images DIR"
        raise DataError(msg, hint=hint, slug="data/images-not-found")
    source, folder = opened[int(np.argmax(found))]
    return source, _as_read(source, folder)


def _column_option(error: ColumnError) -> DataError:
    """Word an error of a table for who has no config yet: options instead of keys."""
    option = f"--{error.key.replace('_', '-')}"
    hint = f"name it: {option} COLUMN" if error.slug == "data/columns" else error.hint
    return DataError(error.text.replace(error.key, option, 1), hint=hint, slug=error.slug)


def _as_read(source: CsvSource, folder: Path) -> TableChoice:
    signs = set(source.separators)
    # A config has one separator for all columns: where they differ, each is found again.
    separator = signs.pop() if len(signs) == 1 else None
    return TableChoice(folder, source.image_column, source.label_columns, separator)


def _exists(source: Source, i: int) -> bool:
    return bool(source.stamp(i))  # unlike `is_file`, it takes names of any length


def _spread(total: int) -> list[int]:
    """Choose some positions, evenly."""
    return sorted({int(i) for i in np.linspace(0, total - 1, min(total, _LOOKED_AT))})


def _glance(
    source: Source,
) -> tuple[list[tuple[int, int]], tuple[str, ...], tuple[str, ...]]:
    """Read some images: sizes, ids of those that cannot be read, ids of those that are missing."""
    sizes = []
    bad: dict[bool, list[str]] = {True: [], False: []}
    for i in _spread(len(source)):
        try:
            height, width = source.image(i).shape[:2]
        except ImageProblem as problem:
            bad[problem.reason == Reason.MISSING].append(source.sample_ids[i])
        else:
            sizes.append((height, width))
    if not sizes:
        named = bad[False] + bad[True]
        msg = f"expected images, got {len(named)} files of which none can be read"
        hint = f"the first is {named[0]!r}" if named else "the data set is empty"
        raise DataError(msg, hint=hint, slug="data/no-readable-image")
    return sizes, tuple(bad[False]), tuple(bad[True])


def _refuse_parts(data: Path, class_names: tuple[str, ...]) -> None:
    """Refuse a folder of `train` and `test`, which are parts of a data set and no classes."""
    if not {name.casefold() for name in class_names} <= _PARTS:
        return
    msg = f"{data}: expected one folder per class, got {', '.join(class_names)}"
    hint = f"these look like parts of a data set: use --data {data / class_names[-1]}"
    raise DataError(msg, hint=hint, slug="data/parts-not-classes")
