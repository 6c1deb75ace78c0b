"""Masks in run-length texts of a table, as Kaggle's competitions have them."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import as_nearest, empty_mask
from fivefold.core.types import AnyArray, Image, Indices
from fivefold.data import coders, rle
from fivefold.data.columns import Key, find_image_column, named_column
from fivefold.data.drawn_masks import DrawnMasks, kind_and_labels, with_background
from fivefold.data.files import check_folder
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.mask_checks import wrong_size
from fivefold.data.mask_looks import FOREGROUND
from fivefold.data.name_twins import told_twins
from fivefold.data.named_files import paths_in
from fivefold.data.source import in_class_order
from fivefold.data.table import ColumnKeys
from fivefold.data.table_folds import read_folds
from fivefold.data.table_rows import Kept, groups_of, kept_rows, weights_of
from fivefold.data.text_order import first_alike
from fivefold.data.text_table import CodedTexts, Table, coded

Form: TypeAlias = Literal["columns", "rows", "relative"]
"""How pixels are numbered: from 1 down the columns, from 1 along the rows, or down the columns with
gaps instead of starts."""
FORMS: tuple[Form, ...] = get_args(Form)
NOTHING = frozenset({"", "-1", "nan"})
"""What a cell says where nothing is there, in small letters."""


@dataclass(frozen=True)
class Runs:
    """Where and how a table writes its masks.

    Attributes:
        rle_column: The column of run-length texts.
        class_column: The column that says what each text shows; None where all show the same.
        form: How pixels are numbered.
        mask_shape: Height and width that texts are written for; None for the image's own.
        background: What the first of exclusive classes is called; None where classes may overlap.
    """

    rle_column: str
    class_column: str | None = None
    form: Form = "columns"
    mask_shape: tuple[int, int] | None = None
    background: str | None = None


class RunLengthSource(DrawnMasks):
    """Images of a table with masks in run-length texts.

    An image may have several rows; texts of one class are put together. Of exclusive classes a
    later row lies on top of an earlier one.

    Args:
        table: The table.
        images_dir: Where the images are, or several folders of which the first that has a file is
            taken; nothing outside of them is read.
        runs: Where and how masks are written.
        keys: What other columns are.

    Attributes:
        image_column: The column of ids.

    Raises:
        ColumnError: If a column is not there or cannot be told.
        DataError: If rows of one image differ in what is said of the image, or a row has runs and
            no class.
    """

    def __init__(
        self, table: Table, images_dir: Path | Sequence[Path], runs: Runs, keys: ColumnKeys
    ) -> None:
        folders = [images_dir] if isinstance(images_dir, Path) else list(images_dir)
        for folder in folders:
            check_folder(folder)
        table = with_parts(table, [keys.get("image_column"), runs.class_column])
        extension = keys.get("extension")
        image = find_image_column(
            table.path, table, keys.get("image_column"), folders[0], extension
        )
        rles = named_column(table.path, table, runs.rle_column, "rle_column")
        group = _named(table, keys, "group_column")
        weight = _named(table, keys, "weight_column")
        split, fold = _named(table, keys, "split_column"), _named(table, keys, "fold_column")
        others = [k for k in (group, weight, split, fold) if k is not None]
        kept = kept_rows(table, image, {}, others)
        self._table, self._runs, self._texts = table, runs, table.cells[rles]
        names, codes = _classes(table, runs, self._texts)
        owners = _owners(table, image, kept)
        self._set_rows(owners, np.flatnonzero((owners >= 0) & _says_runs(self._texts)), codes)
        self.masks, labels = kind_and_labels(names, runs.background)
        targets = np.zeros((len(kept.rows), len(names)), dtype=np.float32)
        targets[owners[self._rows], self._codes] = 1
        paths = paths_in(folders, kept.ids, extension, lambda i: table.place(int(kept.rows[i])))
        super().__init__(kept.ids, paths, labels, with_background(targets, runs.background))
        self._take_folds(kept, split, fold)
        self.groups = groups_of(table, kept, group)
        self.weights = weights_of(table, kept.rows, weight)
        self.excluded = tuple(pair for pair in kept.excluded if pair[1] != "repeated-row")
        self.image_column = table.columns[image]
        self.warnings = told_twins(kept.ids, lambda *pair: _lines(table, kept.rows[list(pair)]))
        if keys.get("image_column") is None:
            self.notes = (f"images are in the column {self.image_column!r}", *self.notes)

    def _set_rows(self, owners: Indices, rows: Indices, codes: Indices) -> None:
        """Sort the rows with runs by their images."""
        in_order = rows[np.argsort(owners[rows], kind="stable")]
        self._rows, self._codes = in_order, codes[in_order]
        starts = np.arange(owners.max(initial=-1) + 2)
        self._starts = np.searchsorted(owners[in_order], starts)

    def _take_folds(self, kept: Kept, split: int | None, fold: int | None) -> None:
        folds = read_folds(self._table, kept.rows, split, fold)
        if folds is not None:
            self.fold_numbers, self.folds_where = folds.numbers, folds.where
            self.held_out = (
                np.flatnonzero(folds.test).tolist()
                if folds.numbers is None and folds.test.any()
                else None
            )
            self.notes = folds.notes

    def reading(self, form: Form) -> "RunLengthSource":
        """Give the same samples, with texts that are read in another form."""
        other = copy(self)
        other._runs = replace(self._runs, form=form)
        return other

    def written(self, i: int) -> str:
        """Give a sample's run-length texts with their classes."""
        form, shape = self._runs.form, self._runs.mask_shape
        parts = [f"{code} {self._texts[row]}" for row, code in self._of(i)]
        return "\n".join([f"{form} {shape}", *parts])

    def drawn(self, i: int, size: tuple[int, int]) -> Image:
        """Draw a sample's mask [h, w, P]."""
        shape = self._runs.mask_shape or size
        if _is_turned(shape, size):
            raise wrong_size(shape, size, "mask_shape is height and width: ")
        mask = empty_mask(shape, self.masks)
        for row, code in self._of(i):
            plane = self._plane(row, shape)
            if self.masks.exclusive:
                mask[plane > 0] = code + 1
            else:
                mask[plane > 0, code] = 1
        return as_nearest(mask, *size)

    def _of(self, i: int) -> list[tuple[int, int]]:
        """List a sample's rows with runs, each with its class."""
        places = slice(int(self._starts[i]), int(self._starts[i + 1]))
        return list(zip(self._rows[places].tolist(), self._codes[places].tolist(), strict=True))

    def _plane(self, row: int, shape: tuple[int, int]) -> Image:
        try:
            return decoded(self._texts[row], shape, self._runs.form)
        except DataError as error:
            place, size = self._table.place(row), f"{shape[0]} x {shape[1]}"
            detail = f"{place}: {str(error).splitlines()[0]} (height x width {size})"
            raise ImageProblem(Reason.BAD_MASK, detail) from error


def _is_turned(mask: tuple[int, int], image: tuple[int, int]) -> bool:
    """Say whether a mask is as wide as its image is high, as far as such numbers can be rounded."""
    wide, high = mask[1] * image[1], mask[0] * image[0]
    return max(mask) > 1.05 * min(mask) and abs(wide - high) < 0.02 * high


def decoded(text: str, shape: Sequence[int], form: Form) -> Image:
    """Read a plane [h, w] of 0 and not 0 from a run-length text.

    Raises:
        DataError: If it is none, or a run lies outside.
    """
    if form == "columns":
        return rle.rle_decode(text, shape)
    if form == "rows":
        return coders.rle_decode(text, shape)
    return coders.rle2mask_relative(text, shape[1], shape[0]).T


def encoded(plane: AnyArray, form: Form) -> str:
    """Write a plane [h, w] as `decoded` reads it; nothing where it shows nothing."""
    if form == "columns":
        return rle.rle_encode(plane)
    return coders.rle_encode(plane) if form == "rows" else coders.mask2rle_relative(plane.T)


def with_parts(table: Table, wanted: Sequence[str | None]) -> Table:
    """Add columns that are asked for and stand in one with others, such as `ImageId_ClassId`.

    Its cells are taken apart at the last `_` of them, as many as its name has.
    """
    for name in wanted:
        if name is None or name in table.columns:
            continue
        for k, column in enumerate(table.columns):
            parts = column.split("_")
            if name not in parts:
                continue
            split = [cell.strip().rsplit("_", len(parts) - 1) for cell in table.cells[k]]
            padded = [cells + [""] * (len(parts) - len(cells)) for cells in split]
            new = [p for p in parts if p not in table.columns]
            cells = tuple([row[parts.index(p)] for row in padded] for p in new)
            table = replace(table, columns=(*table.columns, *new), cells=(*table.cells, *cells))
            break
    return table


def _named(table: Table, keys: ColumnKeys, key: Key) -> int | None:
    name = keys.get(key)
    return named_column(table.path, table, name, key) if isinstance(name, str) else None


def _says_runs(texts: Sequence[str]) -> AnyArray:
    if isinstance(texts, CodedTexts):
        return np.array([_is_text(name) for name in texts.names] or [False])[texts.codes]
    return np.fromiter(map(_is_text, texts), bool, len(texts))


def _is_text(cell: str) -> bool:
    return cell.strip().casefold() not in NOTHING


def _classes(table: Table, runs: Runs, texts: Sequence[str]) -> tuple[tuple[str, ...], Indices]:
    """Name the classes, and give each row's [R]; that of rows without one is 0.

    Raises:
        DataError: If a row with runs has no class; names its line.
    """
    if runs.class_column is None:
        return (FOREGROUND,), np.zeros(len(table), dtype=np.int64)
    column = named_column(table.path, table, runs.class_column, "class_column")
    cells = coded(table.cells[column])
    stripped = [name.strip() for name in cells.names]
    lost = np.array([not name for name in stripped] or [True])[cells.codes] & _says_runs(texts)
    if lost.any():
        place = table.place(int(np.flatnonzero(lost)[0]))
        msg = f"{place}: class_column: expected a class for the mask, got nothing"
        raise DataError(msg, hint="name what the mask shows", slug="data/label")
    names = in_class_order(name for name in stripped if name)
    if not names or runs.background in names:
        got = f"{runs.background!r} among them" if names else "none"
        msg = f"{table.path}: class_column: expected classes beside the background, got {got}"
        raise DataError(msg, hint="`background` names it otherwise", slug="data/label")
    number = {name: k for k, name in enumerate(names)}
    return names, np.array([number.get(name, 0) for name in stripped])[cells.codes]


def _owners(table: Table, image: int, kept: Kept) -> Indices:
    """Give the sample of each row [R]; -1 for rows without one."""
    ids = [cell.strip() for cell in table.cells[image]]
    first = first_alike(ids)
    has_id = np.fromiter(map(bool, ids), bool, len(ids))
    return np.where(has_id, np.searchsorted(kept.rows, first), -1)


def _lines(table: Table, rows: Indices) -> str:
    first, second = (table.lines[row] for row in rows.tolist())
    return f"{table.unit}s {first} and {second}"
