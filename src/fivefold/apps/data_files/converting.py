"""The same samples as a table, as a COCO file, or as folders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from fivefold.apps.data_files.coco_rest import left_behind
from fivefold.apps.data_files.coco_writing import write_coco
from fivefold.apps.data_files.folder_writing import Link, write_folder
from fivefold.apps.data_files.mask_writing import write_masks
from fivefold.apps.data_files.reading import labels_of
from fivefold.apps.data_files.rows import sign_of, table_rows
from fivefold.apps.data_files.sections import columns_asked, section_for
from fivefold.apps.data_files.separators import separator_for
from fivefold.apps.data_files.writing import write_rows
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data.source import Labels
from fivefold.data.table import TableSource
from fivefold.experiment.named_data import Kind, Opened

Target: TypeAlias = Literal["folder", "csv", "coco"]

_KINDS: dict[str, Kind] = {"": "folder", ".csv": "csv", ".json": "coco"}


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        images: How many images.
        section: The `dataset` section that reads it.
        warnings: What a user should know.
    """

    images: int
    section: str
    warnings: tuple[str, ...]


def kind_to_write(output: Path) -> Kind:
    """Tell by its name what an output becomes: x.csv a table, x.json a COCO file, x a folder.

    Raises:
        ConfigError: If it is another name.
    """
    kind = _KINDS.get(output.suffix.casefold())
    if kind is None:
        message = f"expected a name such as x.csv, x.json or x for a folder, got {output.name!r}"
        hint = "the name says what is written: a table, a COCO file, or folders of classes"
        raise ConfigError([Problem("cli/output-name", str(output), message, hint)])
    return kind


def write_as_named(
    opened: Opened,
    keep: AnyArray,
    output: Path,
    *,
    separator: str | None = None,
    link: Link = "copy",
    progress: Progress,
) -> Written:
    """Write some samples as what the output's name says.

    Args:
        opened: The data.
        keep: Which samples, as a mask [N].
        output: A table, a COCO file, or a new folder.
        separator: What stands between labels in one cell of a table.
        link: How files come into a folder.
        progress: Who watches.

    Raises:
        ConfigError: If the name says nothing, or the folder is there already.
        DataError: If something could not be read back as it is.
        ResourceError: If the disk is full, read-only or failing.
    """
    kind = kind_to_write(output)
    if opened.source.masks is not None:
        _refuse_of_labels(separator, link)
        made = write_masks(opened, keep, output, kind, progress)
        return Written(made.images, made.section, made.warnings)
    labels = _labels(opened, kind)
    warnings = [*_unused(opened, labels, keep), *left_behind(opened)]
    if kind == "csv":
        images, sign = _write_table(opened, keep, output, separator)
        section = section_for(
            "csv", output, opened.images_dir, separator=sign, **columns_asked(opened)
        )
        return Written(images, section, tuple(warnings))
    warnings += _other_columns(opened, kind)
    if kind == "coco":
        images = write_coco(opened, labels[0], keep, output, progress)
        section = section_for("coco", output, opened.images_dir)
        return Written(images, section, tuple(warnings))
    images = write_folder(opened, labels[0], keep, output, link, progress)
    if link == "symbolic":
        text = "fivefold reads no links that lead out of a folder: these are for other programs"
        warnings.append(text)
    return Written(images, section_for("folder", output), tuple(warnings))


def _refuse_of_labels(separator: str | None, link: Link) -> None:
    """Refuse options that mean nothing with masks."""
    for option, given in (("--new-separator", separator), ("--link", link != "copy")):
        if given:
            message = "expected no such option with masks, got one"
            raise ConfigError([Problem("cli/stray-option", option, message, "leave it out")])


def _labels(opened: Opened, kind: Kind) -> Sequence[Labels]:
    labels = opened.source.labels
    if kind != "csv" and len(labels) != 1:
        msg = f"{opened.path}: expected one set of classes, got {len(labels)} columns of labels"
        hint = "name one column with --label-column; only a table can have several"
        raise DataError(msg, hint=hint, slug="data/one-set-of-classes")
    for own in labels:
        for name in own.class_names:
            if kind != "coco" and (name != name.strip() or "\0" in name):
                msg = f"{opened.path}: expected classes whose names begin and end with a sign, "
                msg += f"got {name!r}"
                hint = "a table's cells are read without blanks around them: rename the class"
                raise DataError(msg, hint=hint, slug="data/class-name")
    return labels


def _write_table(
    opened: Opened, keep: AnyArray, output: Path, separator: str | None
) -> tuple[int, str | None]:
    """Write a table; tell what stands between labels in it."""
    for sample_id in compress(opened.source.sample_ids, keep.tolist()):
        if sample_id != sample_id.strip():
            msg = f"{opened.path}: expected names of files without blanks around them, got "
            msg += repr(sample_id)
            hint = "a table's cells are read without them: rename the file"
            raise DataError(msg, hint=hint, slug="data/name-not-text")
    header, rows = table_rows(opened)
    every = [own for own in opened.source.labels if not own.exclusive]
    sign = None
    if len(opened.source.labels) > 1:
        sign = _common_sign(opened, separator)
    elif every and not _indicators(opened):
        names = [name for own in every for name in own.class_names]
        sign = separator_for(names, separator or sign_of(opened))
        rows = _with_sign(opened, rows, header, sign)
    return write_rows(output, header, compress(rows, keep.tolist())), sign


def _common_sign(opened: Opened, separator: str | None) -> str | None:
    """Tell what stands between labels in all columns of them, if it is one sign.

    A config has one for all columns: where they differ, each is found again.

    Raises:
        ConfigError: If another sign is asked for.
    """
    if separator:
        message = "expected no such option with several columns of labels, got one"
        hint = "leave it out: each column keeps its own"
        raise ConfigError([Problem("cli/stray-option", "--new-separator", message, hint)])
    source = opened.source
    signs = set(source.separators) if isinstance(source, TableSource) else set()
    return sign_of(opened) if len(signs) == 1 and None not in signs else None


def _with_sign(
    opened: Opened, rows: Iterator[Sequence[str]], header: Sequence[str], sign: str
) -> Iterator[Sequence[str]]:
    """Put another sign between the labels of cells that may have several."""
    if sign == sign_of(opened):
        return rows
    source = opened.source
    place = header.index(source.label_columns[0]) if isinstance(source, TableSource) else 1
    cells = labels_of(source, sign)
    return ((*row[:place], cell, *row[place + 1 :]) for row, cell in zip(rows, cells, strict=True))


def _unused(opened: Opened, labels: Sequence[Labels], keep: AnyArray) -> Iterator[str]:
    """Say which classes no image has: neither tables nor folders can tell that they exist."""
    counts = np.zeros(sum(len(own.class_names) for own in labels), dtype=np.int64)
    for k in np.flatnonzero(keep).tolist():
        target = opened.source.target(k)
        if target is not None:
            counts += target > 0
    names = [name for own in labels for name in own.class_names]
    empty = [name for name, count in zip(names, counts.tolist(), strict=True) if not count]
    if empty:
        shown = ", ".join(map(repr, empty[:5])) + (", …" if len(empty) > 5 else "")
        yield f"no image has the class {shown}"


def _indicators(opened: Opened) -> bool:
    """Tell whether columns of 0 and 1 are the classes: no cell has several labels then."""
    return isinstance(opened.source, TableSource) and bool(opened.source.indicator_columns)


def _other_columns(opened: Opened, kind: Kind) -> list[str]:
    if not isinstance(opened.source, TableSource):
        return []
    header, _ = table_rows(opened)
    source = opened.source
    read = {source.image_column, *source.label_columns, *source.indicator_columns}
    lost = [name for name in header if name not in read]
    where = "a COCO file" if kind == "coco" else "a folder"
    return [f"{where} has no place for the columns {', '.join(lost)}"] if lost else []
