"""What can be said about a data set after a glance: classes, balance, sizes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from fivefold.apps.new.opening import FOUND, TableChoice, open_any, spread
from fivefold.core.errors import DataError
from fivefold.data import ImageProblem, Labels, Source
from fivefold.data.image_problem import Reason

logger = logging.getLogger(__name__)

_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


@dataclass(frozen=True)
class Survey:
    """What a glance at the data has shown.

    Attributes:
        data: The folder, table or other file, as given.
        table: How it is read; None for a folder of classes.
        num_images: How many samples there are to read.
        outputs: What the labels answer.
        counts: For each output: class name to how many samples have it, in the classes' order.
        height: Median height in pixels of those looked at.
        width: Median width in pixels.
        unreadable: Ids of those looked at that cannot be read.
        missing: Ids of those looked at that are not there.
        looked_at: How many were looked at.
        excluded: Ids that were listed but left out, each with the rule that did it.
        kind: The key of `dataset` that names such data.
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
    kind: str = "folder"

    @property
    def images(self) -> Path | None:
        """The folder of the images of a table or COCO file; None for other data."""
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
        data: A folder with one folder per class, a CSV or Parquet table, a COCO file, tar files.
        choice: How to read a table.

    Raises:
        DataError: If there is no such data, or it cannot be used.
    """
    looked = open_any(data, choice)
    source = looked.source
    if looked.kind == "folder":
        _refuse_parts(data, source.labels[0].class_names)
    if not source.labels:
        msg = f"{data}: expected labels, got only images"
        hint = "members that end in cls, txt or json hold them; --label-column names another ending"
        raise DataError(msg, hint=hint, slug="data/no-labels")
    for text in source.warnings:
        logger.warning(text)
    sizes, unreadable, missing = _glance(source)
    return Survey(
        data=data,
        kind=looked.kind,
        table=looked.table,
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


def _glance(
    source: Source,
) -> tuple[list[tuple[int, int]], tuple[str, ...], tuple[str, ...]]:
    """Read some images: sizes, ids of those that cannot be read, ids of those that are missing."""
    sizes = []
    bad: dict[bool, list[str]] = {True: [], False: []}
    for i in spread(len(source)):
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
