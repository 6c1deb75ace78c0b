"""Folders of classes, or a table, as one table of paths and labels with a map of its classes."""

import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from fivefold.apps.data_files.separators import check_separator, parts_of, separator_for
from fivefold.apps.data_files.writing import RowFile
from fivefold.core.durable import write_json
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.types import Indices
from fivefold.data import FolderSource
from fivefold.data.packed import GatheredTexts, PackedTexts, Texts
from fivefold.data.source import in_class_order
from fivefold.data.table import TableSource
from fivefold.data.text_table import LIST_SIGN
from fivefold.experiment.named_data import Reading, open_data
from fivefold.experiment.named_masks import find_mask_folders

_COLUMNS = ("path", "class")


@dataclass(frozen=True, eq=False)
class Listed:
    """Images and what is written behind each; there may be millions.

    Attributes:
        images_dir: Where the paths start.
        columns: What a table calls paths and labels.
        paths: One for each image [N].
        cells: The different texts of labels.
        cell_of: Which of them each image has [N].
        left_out: Rules that left files out, each with how many.
        warnings: What a user should know.
        separator: What stands between several labels in one text, if anything does.
    """

    images_dir: Path
    columns: tuple[str, str]
    paths: Texts
    cells: tuple[str, ...]
    cell_of: Indices
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]
    separator: str | None = None


@dataclass(frozen=True)
class WrittenLabels:
    """What a table and its map of classes say.

    Attributes:
        images: How many rows the table has.
        images_dir: Where its paths start.
        class_map: Each class and its number: its place among the sorted names.
        counts: Each class and how many images have it.
        left_out: Rules that left files out, each with how many.
        warnings: What a user should know.
    """

    images: int
    images_dir: Path
    class_map: Mapping[str, int]
    counts: Mapping[str, int]
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]


def list_folders(roots: Sequence[Path], *, recursive: bool = False) -> Listed:
    """List the files of folders that hold one folder for each class, by class and then by name.

    Paths start at the root; of several roots, at the folder that holds them all.

    Args:
        roots: The folders that hold the classes.
        recursive: Whether what lies in folders inside a class belongs to it; else it is left out.

    Raises:
        ConfigError: If a root is inside another one, or named twice.
        DataError: If there is no class.
        UnsafeInputError: If a link below a root leaves it.
    """
    images_dir = _common(roots)
    paths, left_out = GatheredTexts(PackedTexts), Counter[str]()
    warnings: list[str] = []
    numbers: dict[str, int] = {}
    class_of = array("q")
    for root in roots:
        _refuse_masks(root, find_mask_folders(root) if root.is_dir() else None)
        source = FolderSource(root)
        left_out.update(rule for _, rule in source.excluded)
        warnings += source.warnings
        before = "" if len(roots) == 1 else f"{_inside(root, images_dir)}/"
        for name in source.sample_ids:
            if name.count("/") > 1 and not recursive:
                left_out["deeper-folder"] += 1
                continue
            paths.add(before + name)
            class_of.append(numbers.setdefault(name.partition("/")[0], len(numbers)))
    if not numbers:
        raise _only_deeper(roots)
    names = in_class_order(numbers)
    rank = np.asarray([names.index(name) for name in numbers], dtype=np.int64)
    classes = rank[np.asarray(class_of, dtype=np.int64)]
    order = np.argsort(classes, kind="stable")
    listed = paths.done()
    in_order = PackedTexts(listed[int(k)] for k in order)
    return Listed(images_dir, _COLUMNS, in_order, names, classes[order], left_out, tuple(warnings))


def list_table(
    table: Path,
    reading: Reading = Reading(),  # noqa: B008  it cannot change
) -> Listed:
    """List the rows of a table in its own order; an image with several labels stays one row.

    Args:
        table: A file of text or a Parquet file.
        reading: How to read it.

    Raises:
        DataError: If it is no such table.
    """
    opened = open_data(table, reading)
    source, images_dir = opened.source, opened.images_dir
    _refuse_masks(table, source.masks)
    if not isinstance(source, TableSource):
        msg = f"{table}: expected a folder of classes or a table, got a COCO file"
        hint = "`fivefold data convert` makes a table of it"
        raise DataError(msg, hint=hint, slug="data/not-a-table")
    if len(source.labels) != 1:
        msg = f"{table}: expected one set of classes, got {len(source.labels)} columns of labels"
        hint = "name one column with --label-column"
        raise DataError(msg, hint=hint, slug="data/one-set-of-classes")
    (labels,), sign = source.labels, next(iter(source.separators), None)
    if not labels.exclusive and sign in (None, LIST_SIGN):
        sign = separator_for(labels.class_names, None)
    numbers: dict[str, int] = {}
    cell_of = array("q")
    for k in range(len(source)):
        target = source.target(k)
        true = [] if target is None else np.flatnonzero(target).tolist()
        cell = (sign or "").join(labels.class_names[c] for c in true)
        cell_of.append(numbers.setdefault(cell, len(numbers)))
    return Listed(
        images_dir,
        (source.image_column, next(iter(source.label_columns), _COLUMNS[1])),
        PackedTexts(source.sample_ids),
        tuple(numbers),
        np.asarray(cell_of, dtype=np.int64),
        Counter(rule for _, rule in source.excluded),
        tuple(source.warnings),
        sign,
    )


def _refuse_masks(data: Path, found: object) -> None:
    """Refuse masks, which are no labels of images.

    Raises:
        DataError: If there are any.
    """
    if found is not None:
        msg = f"{data}: expected folders of classes or a table of labels, got images with masks"
        hint = "`fivefold data convert` writes masks as a table of run lengths"
        raise DataError(msg, hint=hint, slug="data/masks-not-labels")


def write_labels(
    listed: Listed,
    output: Path,
    class_map: Path,
    *,
    columns: tuple[str, str] | None = None,
    separator: str | None = None,
) -> WrittenLabels:
    """Write a table with one row for each image, and each class's number as JSON.

    Args:
        listed: The images.
        output: The table.
        class_map: The map: `{"cat": 0, "dog": 1}`.
        columns: Other names of the columns of paths and of labels.
        separator: What stands between several labels in one text; default as listed.

    Raises:
        ResourceError: If the disk is full, read-only or failing.
    """
    separator = listed.separator if separator is None else separator
    check_separator(separator)
    per_cell = np.bincount(listed.cell_of, minlength=len(listed.cells)).tolist()
    counts = Counter[str]()
    for cell, count in zip(listed.cells, per_cell, strict=True):
        counts.update(dict.fromkeys(parts_of(cell, separator), count))
    names = in_class_order(counts)
    numbers = {name: number for number, name in enumerate(names)}
    with RowFile(output, columns or listed.columns) as file:
        for row in _rows(listed):
            file.add(row)
        file.settle()
        write_json(class_map, numbers)
        file.commit()
    return WrittenLabels(
        images=file.rows,
        images_dir=listed.images_dir,
        class_map=numbers,
        counts={name: counts[name] for name in names},
        left_out=dict(sorted(listed.left_out.items())),
        warnings=listed.warnings,
    )


def _rows(listed: Listed) -> Iterator[tuple[str, str]]:
    for path, cell in zip(listed.paths, listed.cell_of.tolist(), strict=True):
        yield path, listed.cells[cell]


def _common(roots: Sequence[Path]) -> Path:
    """Find the folder where paths of several roots start; none may be inside another."""
    if len(roots) == 1:
        return roots[0]
    real = sorted(Path(os.path.realpath(root)) for root in roots)
    for first, second in pairwise(real):
        if second.is_relative_to(first):
            message = f"expected folders apart from each other, got {str(first)!r} in it as well"
            hint = "name each folder once"
            raise ConfigError([Problem("cli/same-folder", str(second), message, hint)])
    return Path(os.path.commonpath(real))


def _inside(root: Path, images_dir: Path) -> str:
    return Path(os.path.realpath(root)).relative_to(images_dir).as_posix()


def _only_deeper(roots: Sequence[Path]) -> DataError:
    where = ", ".join(map(str, roots))
    msg = f"{where}: expected images in the folder of their class, got only deeper ones"
    return DataError(msg, hint="--recursive takes those as well", slug="data/no-classes")
