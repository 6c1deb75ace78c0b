"""Tables with one image a row, in CSV or Parquet files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import AnyArray, Indices
from fivefold.data.columns import (
    Key,
    find_image_column,
    find_label_columns,
    found_indicators,
    named_column,
    unread_columns,
)
from fivefold.data.csv_text import read_table
from fivefold.data.files import FileSource, check_folder
from fivefold.data.name_twins import told_twins
from fivefold.data.named_files import paths_of
from fivefold.data.parquet import read_parquet
from fivefold.data.source import sources
from fivefold.data.table_folds import ColumnFolds, read_folds
from fivefold.data.table_labels import (
    Output,
    Signs,
    column_output,
    find_signs,
    indicator_output,
    joined_targets,
)
from fivefold.data.table_rows import Kept, groups_of, kept_rows, weights_of
from fivefold.data.text_table import Table, coded


class ColumnKeys(TypedDict, total=False):
    """What a table's columns are, by the keys of a config.

    image_column: The column of ids: paths below the folder of images, with or without ending. By
        default found by its cells and its name.
    label_column: The column of labels, or several of them for one output each.
    indicator_columns: Columns of 0 and 1, one for each class, instead of `label_column`.
    separator: What stands between several labels in one cell; an empty cell then means none of the
        classes. By default found: a sign whose parts are all labels of other rows too.
    extension: The ending to try first where an id has none.
    group_column: The column of what must stay in one fold, such as the patient.
    weight_column: The column of how much a sample counts in training.
    split_column: The column that says train, val or test.
    fold_column: The column of numbers of folds.
    """

    image_column: str | None
    label_column: str | Sequence[str] | None
    indicator_columns: Sequence[str] | None
    separator: str | None
    extension: str | None
    group_column: str | None
    weight_column: str | None
    split_column: str | None
    fold_column: str | None


@dataclass(frozen=True)
class _Roles:
    """Which column is what."""

    image: int
    labels: tuple[int, ...]
    indicators: tuple[int, ...]
    group: int | None
    weight: int | None
    split: int | None
    fold: int | None
    notes: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[int, ...]:
        """Those that are neither ids nor labels."""
        named = (self.group, self.weight, self.split, self.fold)
        return tuple(k for k in named if k is not None)


class TableSource(FileSource):
    """Images named by a table; the cell of the image column is the sample's id.

    Args:
        table: The table.
        images_dir: Where the images are; nothing outside of it is read.
        keys: What its columns are.
        labelled: Whether labels are wanted, and what else only training asks for.

    Attributes:
        image_column: The column of ids.
        label_columns: The columns of labels.
        indicator_columns: The columns of 0 and 1, each a class.
        unread_columns: Those that nothing is read from.
        separators: For each label column what stands between several labels; None where each cell
            is one label.
    """

    def __init__(
        self, table: Table, images_dir: Path, keys: ColumnKeys, *, labelled: bool = True
    ) -> None:
        check_folder(images_dir)
        extension = keys.get("extension")
        roles = _roles(table, keys, images_dir, labelled=labelled)
        signs = find_signs(table, roles.labels, keys.get("separator"))
        kept = kept_rows(
            table,
            roles.image,
            dict(zip(roles.labels, signs.signs, strict=True)),
            (*roles.indicators, *roles.others),
        )
        outputs, warnings = _outputs(table, roles, signs, kept)
        paths = paths_of(images_dir, kept.ids, extension, lambda i: table.place(int(kept.rows[i])))
        targets = joined_targets(outputs, len(kept.rows))
        super().__init__(kept.ids, paths, tuple(output.labels for output in outputs), targets)
        self.excluded = kept.excluded
        folds = read_folds(table, kept.rows, roles.split, roles.fold)
        if folds is not None:
            _check_seen(table, kept, outputs, folds)
            self.fold_numbers, self.folds_where = folds.numbers, folds.where
            self.held_out = None if folds.numbers is not None else _places(folds.test)
        self.groups = groups_of(table, kept, roles.group)
        self.weights = weights_of(table, kept.rows, roles.weight)
        self.image_column = table.columns[roles.image]
        self.label_columns = tuple(table.columns[k] for k in roles.labels)
        self.indicator_columns = tuple(table.columns[k] for k in roles.indicators)
        read = {roles.image, *roles.labels, *roles.indicators, *roles.others}
        names = enumerate(table.columns)
        self.unread_columns = tuple(name for k, name in names if k not in read)
        self.separators = signs.signs
        self.notes = (*roles.notes, *signs.notes, *(folds.notes if folds else ()))
        unread = _unread(table, roles) if labelled else []
        twins = told_twins(kept.ids, lambda *pair: _lines(table, kept.rows[list(pair)]))
        self.warnings = (*signs.warnings, *warnings, *unread, *twins)


@sources.add(name="csv")
class CsvSource(TableSource):
    """A CSV or TSV table; see `TableSource`.

    Args:
        csv_path: The table, with a header; UTF-8 if nothing else is said.
        images_dir: Where the images are; nothing outside of it is read.
        encoding: The table's encoding.
        labelled: Whether labels are wanted.
        keys: What its columns are.
    """

    def __init__(
        self,
        csv_path: Path,
        images_dir: Path,
        *,
        encoding: str | None = None,
        labelled: bool = True,
        **keys: Unpack[ColumnKeys],
    ) -> None:
        check_folder(images_dir)
        table = read_table(csv_path, encoding=encoding or "")
        super().__init__(table, images_dir, keys, labelled=labelled)


@sources.add(name="parquet")
class ParquetSource(TableSource):
    """A table in a Parquet file; see `TableSource`.

    Args:
        parquet_path: The table; a column of lists has several labels in each cell.
        images_dir: Where the images are; nothing outside of it is read.
        labelled: Whether labels are wanted.
        keys: What its columns are.
    """

    def __init__(
        self,
        parquet_path: Path,
        images_dir: Path,
        *,
        labelled: bool = True,
        **keys: Unpack[ColumnKeys],
    ) -> None:
        check_folder(images_dir)
        super().__init__(read_parquet(parquet_path), images_dir, keys, labelled=labelled)


def _roles(table: Table, keys: ColumnKeys, images_dir: Path, *, labelled: bool) -> _Roles:
    """Find out which column is what: as named, else as it looks.

    Raises:
        ColumnError: If a column is not there or cannot be told.
    """
    path = table.path
    asked = keys.get("image_column")
    image = find_image_column(path, table, asked, images_dir, keys.get("extension"))

    def named(key: Key) -> int | None:
        name = keys.get(key) if labelled else None
        return named_column(path, table, name, key) if isinstance(name, str) else None

    group, weight = named("group_column"), named("weight_column")
    split, fold = named("split_column"), named("fold_column")
    roles = _Roles(image, (), (), group, weight, split, fold)
    notes = [] if asked else [f"images are in the column {table.columns[image]!r}"]
    if not labelled:
        return roles
    labels, indicators = keys.get("label_column"), keys.get("indicator_columns")
    flags = [named_column(path, table, name, "indicator_columns") for name in indicators or ()]
    if not (labels or flags):
        flags = found_indicators(table, image, roles.others)
        if flags:
            listed = ", ".join(repr(table.columns[k]) for k in flags[:5])
            more = f" and {len(flags) - 5} more" if len(flags) > 5 else ""
            notes.append(f"columns of 0 and 1 are the classes: {listed}{more}")
    wanted = [] if flags else find_label_columns(path, table, labels, image, roles.others)
    if not (labels or flags):
        notes.append(f"labels are in the column {table.columns[wanted[0]]!r}")
    return _Roles(image, tuple(wanted), tuple(flags), group, weight, split, fold, tuple(notes))


def _outputs(
    table: Table, roles: _Roles, signs: Signs, kept: Kept
) -> tuple[list[Output], list[str]]:
    """Read all labels, with warnings about empty cells."""
    outputs, warnings = [], []
    for k, sign in zip(roles.labels, signs.signs, strict=True):
        name = table.columns[k] if len(roles.labels) > 1 else ""
        outputs.append(column_output(table, k, kept.rows, sign, name))
        warnings += _without_label(table, k, kept.rows)
    if roles.indicators:
        output, warning = indicator_output(table, roles.indicators, kept.rows)
        outputs.append(output)
        warnings += [warning] if warning else []
    return outputs, warnings


def _without_label(table: Table, k: int, rows: Indices) -> list[str]:
    """Word a warning about empty cells; rows whose cells must have a label are gone by now."""
    cells = coded(table.cells[k])
    blank = np.array([not name.strip() for name in cells.names], dtype=bool)
    empty = int(blank[cells.codes[rows]].sum()) if blank.any() else 0
    if not empty:
        return []
    count = "1 row has" if empty == 1 else f"{empty:,} rows have"
    return [f"{count} nothing in {table.columns[k]!r}: kept as images with none of its classes"]


def _check_seen(table: Table, kept: Kept, outputs: Sequence[Output], folds: ColumnFolds) -> None:
    """Make sure that every class of val and test rows is trained on.

    Raises:
        DataError: If one is not; names the first of its rows.
    """
    if folds.seen is None or folds.seen.all() or not folds.seen.any():
        return
    for output in outputs:
        names = output.labels.class_names
        trained = output.has_in(folds.seen)
        lost = np.flatnonzero(output.has_in(~folds.seen) & ~trained)
        if not len(lost):
            continue
        at = _first_with(output, int(lost[0]), ~folds.seen)
        unseen = ", ".join(repr(names[i]) for i in lost[:5].tolist())
        known = [name for name, is_known in zip(names, trained, strict=True) if is_known]
        msg = (
            f"{table.place(int(kept.rows[at]))}: expected classes that some row to train on has, "
            f"got {unseen}{', …' if len(lost) > 5 else ''} only in others"
        )
        listed = ", ".join(map(repr, known[:8])) + (", …" if len(known) > 8 else "")
        hint = did_you_mean(names[int(lost[0])], known, f"train rows have {listed}")
        raise DataError(msg, hint=hint, slug="data/unseen-class")


def _first_with(output: Output, column: int, mask: AnyArray) -> int:
    holds = np.asarray(output.targets[:, column]) > 0
    return int(np.flatnonzero(holds[output.codes] & mask)[0])


def _unread(table: Table, roles: _Roles) -> list[str]:
    read = {roles.image, *roles.labels, *roles.indicators, *roles.others}
    return [
        f"nothing is read from the column {name!r}: `{key}` would use it"
        for name, key in unread_columns(table, read)
    ]


def _lines(table: Table, rows: Indices) -> str:
    first, second = (table.lines[row] for row in rows.tolist())
    return f"{table.unit}s {first} and {second}"


def _places(mask: AnyArray) -> Sequence[int] | None:
    return np.flatnonzero(mask).tolist() if mask.any() else None
