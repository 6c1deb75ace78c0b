"""What can be said about a data set after a glance: classes, balance, sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data import CsvSource, FolderSource, ImageProblem, Source

_LOOKED_AT = 32
_TABLES = (".csv", ".tsv")
_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


@dataclass(frozen=True)
class Survey:
    """What a glance at the data has shown.

    Attributes:
        data: The folder or table, as given.
        images: The folder of a table's images; None for a folder of classes.
        num_images: How many samples are listed.
        counts: Class name to how many samples have it, in the order of the classes.
        exclusive: Whether every sample has exactly one class.
        height: Median height in pixels of those looked at.
        width: Median width in pixels.
        unreadable: Ids of those looked at that cannot be read.
        looked_at: How many were looked at.
    """

    data: Path
    images: Path | None
    num_images: int
    counts: Mapping[str, int]
    exclusive: bool
    height: int
    width: int
    unreadable: tuple[str, ...]
    looked_at: int


def look_at(data: Path, images: Path | None = None) -> Survey:
    """Count classes, and read a few images for their size.

    Args:
        data: A folder with one folder per class, or a CSV table.
        images: The folder of the table's images; found by trying when not given.

    Raises:
        DataError: If there is no such data, or it cannot be used.
    """
    if data.suffix.lower() in _TABLES and data.is_file():
        source, images = _open_table(data, images)
    elif images is not None:
        msg = f"{data}: expected a CSV table beside --images, got no table"
        raise DataError(msg, hint="a folder of classes needs no --images", slug="data/not-a-table")
    else:
        source = FolderSource(data)
        _refuse_parts(data, source.labels[0].class_names)
    sizes, unreadable, looked_at = _glance(source)
    targets = [target for i in range(len(source)) if (target := source.target(i)) is not None]
    totals = [int(total) for total in np.sum(np.stack(targets), axis=0)]
    return Survey(
        data=data,
        images=images,
        num_images=len(source),
        counts=dict(zip(source.labels[0].class_names, totals, strict=True)),
        exclusive=source.labels[0].exclusive,
        height=round(median(height for height, _ in sizes)),
        width=round(median(width for _, width in sizes)),
        unreadable=unreadable,
        looked_at=looked_at,
    )


def _open_table(table: Path, images: Path | None) -> tuple[Source, Path]:
    """Open a table with the folder in which most of its first images are."""
    beside = sorted(entry for entry in table.parent.iterdir() if entry.is_dir())
    folders = [images] if images else [table.parent, *beside]
    opened = [(CsvSource(table, folder), folder) for folder in folders]
    found = [sum(_exists(source, i) for i in _spread(len(source))) for source, _ in opened]
    if not max(found):
        msg = f"{table}: expected its images in {images or table.parent}, found none of them"
        hint = "say where they are: --images DIR"
        raise DataError(msg, hint=hint, slug="data/images-not-found")
    return opened[int(np.argmax(found))]


def _exists(source: Source, i: int) -> bool:
    return bool(source.stamp(i))  # unlike `is_file`, it takes names of any length


def _spread(total: int) -> list[int]:
    """Choose some positions, evenly."""
    return sorted({int(i) for i in np.linspace(0, total - 1, min(total, _LOOKED_AT))})


def _glance(source: Source) -> tuple[list[tuple[int, int]], tuple[str, ...], int]:
    sizes, unreadable, chosen = [], [], _spread(len(source))
    for i in chosen:
        try:
            height, width = source.image(i).shape[:2]
        except ImageProblem:
            unreadable.append(source.sample_ids[i])
        else:
            sizes.append((height, width))
    if not sizes:
        msg = f"expected images, got {len(unreadable)} files of which none can be read"
        hint = f"the first is {unreadable[0]!r}" if unreadable else "the data set is empty"
        raise DataError(msg, hint=hint, slug="data/no-readable-image")
    return sizes, tuple(unreadable), len(chosen)


def _refuse_parts(data: Path, class_names: tuple[str, ...]) -> None:
    """Refuse a folder of `train` and `test`, which are parts of a data set and no classes."""
    if not {name.casefold() for name in class_names} <= _PARTS:
        return
    msg = f"{data}: expected one folder per class, got {', '.join(class_names)}"
    hint = f"these look like parts of a data set: use --data {data / class_names[-1]}"
    raise DataError(msg, hint=hint, slug="data/parts-not-classes")
