"""Data sets that a table describes, under Musket's names; they write such tables, too."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Floats
from fivefold.data.columns import find_image_column, find_label_columns
from fivefold.data.csv_text import read_table
from fivefold.data.datasets.paths import SourceDataSet, found_path
from fivefold.data.files import FileSource, check_folder
from fivefold.data.named_files import paths_in
from fivefold.data.source import Labels, in_class_order

logger = logging.getLogger(__name__)

Folders: TypeAlias = Path | str | Sequence[Path | str]
Cells: TypeAlias = Sequence[tuple[str, ...]]
"""For each image the different cells of a column in its rows."""

_SEPARATORS = ("|", " ", "_")


@dataclass(frozen=True)
class _Listed:
    """What a table says, row by row put together for each image."""

    where: str
    folders: list[Path]
    ids: list[str]
    columns: Mapping[str, Cells]

    def source(self, outputs: Sequence[tuple[Labels, Floats]]) -> FileSource:
        paths = paths_in(self.folders, self.ids)
        targets = np.concatenate([values for _, values in outputs], axis=1)
        return FileSource(self.ids, paths, tuple(labels for labels, _ in outputs), targets)


def _listed(
    images: Folders, csv_path: Path | str, im_column: str, columns: Sequence[str], most: int
) -> _Listed:
    """Read a table; `most` is how many images count, -1 for all."""
    path = found_path(csv_path)
    folders = [found_path(f) for f in ([images] if isinstance(images, str | Path) else images)]
    for folder in folders:
        check_folder(folder)
    table = read_table(path, fallback="cp1251")
    image = find_image_column(path, table, im_column, folders[0], None)
    wanted = find_label_columns(path, table, columns, image)
    found: dict[str, list[tuple[str, ...]]] = {}
    unnamed = 0
    for row in table.rows:
        sample_id = row.cells[image].strip()
        unnamed += not sample_id
        if sample_id:
            cells = tuple(row.cells[k].strip() for k in wanted)
            found.setdefault(sample_id, []).append(cells)
    if unnamed:
        logger.warning("%s: %d rows have nothing in %r: left out", path, unnamed, im_column)
    ids = list(found)[: None if most < 0 else most]
    if not ids:
        msg = f"{path}: expected at least 1 row with an image, got none"
        raise DataError(msg, slug="data/no-images")
    by_column = {
        name: [tuple(dict.fromkeys(cells[k] for cells in found[i])) for i in ids]
        for k, name in enumerate(columns)
    }
    return _Listed(str(path), folders, ids, by_column)


class CSVReferencedDataSet(SourceDataSet):
    """What the data sets of tables share: their rows can be written again, from predictions.

    Attributes:
        imColumn: The column of file names.
        clazzColumns: The columns of classes.
    """

    imColumn: str
    clazzColumns: tuple[str, ...]

    def _take(self, listed: _Listed, outputs: Sequence[tuple[Labels, Floats]]) -> None:
        super().__init__(listed.source(outputs), name=Path(listed.where).stem)

    def encode(
        self,
        item: Any,
        encode_y: bool = False,
        treshold: float = 0.5,
    ) -> dict[str, str] | list[dict[str, str]]:
        """Write an item, or each item of a data set, as the table has it.

        Args:
            item: With `id` and `prediction`; or a data set of such items.
            encode_y: Write what is true instead of what was predicted.
            treshold: A class is true where its probability is above this, 0-1.

        Returns:
            Column to cell, or a list of these.
        """
        if not hasattr(item, "id"):
            return [self._row(one, treshold, encode_y=encode_y) for one in _items(item)]
        return self._row(item, treshold, encode_y=encode_y)

    def _row(self, item: Any, threshold: float, *, encode_y: bool) -> dict[str, str]:
        values = item.y if encode_y else item.prediction
        parts = list(values) if len(self.source.labels) > 1 else [values]
        row = {self.imColumn: str(item.id)}
        for column, labels, part in zip(self.clazzColumns, self.source.labels, parts, strict=True):
            row[column] = self._cell(labels, np.asarray(part), threshold)
        return row

    def _cell(self, labels: Labels, values: Floats, threshold: float) -> str:  # noqa: ARG002  others use it
        return labels.class_names[int(values.argmax())]


class BinaryClassificationDataSet(CSVReferencedDataSet):
    """A table with one of two classes for each image.

    `y` is one value: whether the class is the second of the two, in sorted order. An empty cell is
    a class of its own, the first.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, with or without ending.
        clazzColumn: The column of classes.
        len: How many images count; -1 for all.

    Raises:
        DataError: If there are not two classes, or an image has both.
    """

    def __init__(
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        clazzColumn: str,
        len: int = -1,
    ) -> None:
        listed = _listed(imagePath, csvPath, imColumn, [clazzColumn], len)
        cells = _single(listed, clazzColumn)
        self.classes = in_class_order(cells)
        if self.classes[2:] or not self.classes[1:]:
            msg = f"{listed.where}: {clazzColumn}: expected 2 classes, got {self.classes[:5]}"
            hint = "CategoryClassificationDataSet has any number of classes"
            raise DataError(msg, hint=hint, slug="data/dataset-classes")
        self.imColumn, self.clazzColumns = imColumn, (clazzColumn,)
        positive = self.classes[1]
        targets = np.array([[cell == positive] for cell in cells], dtype=np.float32)
        self._take(listed, [(Labels("", (positive,), exclusive=False), targets)])

    def _cell(self, labels: Labels, values: Floats, threshold: float) -> str:  # noqa: ARG002  one of two
        return self.classes[int(values.ravel()[0] > threshold)]


class CategoryClassificationDataSet(CSVReferencedDataSet):
    """A table with exactly one class for each image; `y` has one place for each, in sorted order.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, with or without ending.
        clazzColumn: The column of classes.
        len: How many images count; -1 for all.

    Raises:
        DataError: If an image has several classes.
    """

    def __init__(
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        clazzColumn: str,
        len: int = -1,
    ) -> None:
        listed = _listed(imagePath, csvPath, imColumn, [clazzColumn], len)
        self.imColumn, self.clazzColumns = imColumn, (clazzColumn,)
        output = _one_hot("", _single(listed, clazzColumn))
        self.classes = output[0].class_names
        self._take(listed, [output])


class MultiClassClassificationDataSet(CSVReferencedDataSet):
    """A table with any number of classes for each image; `y` has one place for each, sorted.

    An image may have several rows; its classes are those of all of them.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, with or without ending.
        clazzColumn: The column of classes, which stand beside each other in its cells; or several
            columns of 0 and 1, one for each class, joined by `|`.
        len: How many images count; -1 for all.
        separator: What stands between classes; by default the first of `|`, space and `_` that
            some cell has.

    Raises:
        DataError: If a column of 0 and 1 has anything else.
    """

    def __init__(
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        clazzColumn: str,
        len: int = -1,
        *,
        separator: str = "",
    ) -> None:
        columns = clazzColumn.split("|")
        listed = _listed(imagePath, csvPath, imColumn, columns, len)
        self.imColumn, self.clazzColumns = imColumn, tuple(columns)
        self.separator = separator
        if columns[1:]:
            output = _flags(listed, columns)
        else:
            cells = listed.columns[clazzColumn]
            self.separator = separator or _separator(cells)
            output = _multi_hot("", cells, self.separator)
        self.classes = output[0].class_names
        self._take(listed, [output])

    def _row(self, item: Any, threshold: float, *, encode_y: bool) -> dict[str, str]:
        values = np.asarray(item.y if encode_y else item.prediction)
        chosen = values > threshold
        row = {self.imColumn: str(item.id)}
        if self.clazzColumns[1:]:
            return row | {c: str(int(v)) for c, v in zip(self.clazzColumns, chosen, strict=True)}
        names = [name for name, v in zip(self.classes, chosen, strict=True) if v]
        return row | {self.clazzColumns[0]: (self.separator or "|").join(names)}


class MultiOutputClassClassificationDataSet(CSVReferencedDataSet):
    """A table with several questions; `y` is a list with one vector for each.

    A column whose cells hold several classes has any number of them true, the others exactly one.
    What shows that a cell holds several is a `|`, or a space between whole numbers.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, with or without ending.
        clazzColumns: The columns of classes.
        len: How many images count; -1 for all.

    Raises:
        DataError: If an image has several classes where one is expected.
    """

    def __init__(
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        clazzColumns: Sequence[str],
        len: int = -1,
    ) -> None:
        listed = _listed(imagePath, csvPath, imColumn, clazzColumns, len)
        self.imColumn, self.clazzColumns = imColumn, tuple(clazzColumns)
        self._signs = {name: _sure_separator(listed.columns[name]) for name in clazzColumns}
        outputs = [
            _multi_hot(name, listed.columns[name], sign)
            if sign
            else _one_hot(name, _single(listed, name))
            for name, sign in self._signs.items()
        ]
        self.classes = [labels.class_names for labels, _ in outputs]
        self._take(listed, outputs)

    def _cell(self, labels: Labels, values: Floats, threshold: float) -> str:
        if labels.exclusive:
            return super()._cell(labels, values, threshold)
        chosen = zip(labels.class_names, values > threshold, strict=True)
        return self._signs[labels.name].join(name for name, is_true in chosen if is_true)


def _items(dataset: Any) -> Sequence[Any]:
    return [dataset[i] for i in range(len(dataset))]


def _single(listed: _Listed, column: str) -> list[str]:
    """Take the one class that each image has."""
    cells = listed.columns[column]
    clashes = [i for i, some in zip(listed.ids, cells, strict=True) if len(some) > 1]
    if clashes:
        names = ", ".join(map(repr, clashes[:5]))
        msg = f"{listed.where}: {column}: expected one class for each image, got several: {names}"
        hint = "MultiClassClassificationDataSet allows any number of classes"
        raise DataError(msg, hint=hint, slug="data/duplicate-id")
    return [some[0] for some in cells]


def _one_hot(name: str, cells: Sequence[str]) -> tuple[Labels, Floats]:
    class_names = in_class_order(cells)
    column = {class_name: k for k, class_name in enumerate(class_names)}
    targets = np.eye(len(class_names), dtype=np.float32)[[column[cell] for cell in cells]]
    return Labels(name, class_names, exclusive=True), targets


def _multi_hot(name: str, cells: Cells, sign: str) -> tuple[Labels, Floats]:
    parts = [[p for cell in some for p in _split(cell, sign)] for some in cells]
    class_names = in_class_order(part for some in parts for part in some)
    column = {class_name: k for k, class_name in enumerate(class_names)}
    targets = np.zeros((len(cells), len(class_names)), dtype=np.float32)
    for row, some in enumerate(parts):
        targets[row, [column[part] for part in some]] = 1
    return Labels(name, class_names, exclusive=False), targets


def _flags(listed: _Listed, columns: Sequence[str]) -> tuple[Labels, Floats]:
    """Read columns of 0 and 1; what any row of an image says is true."""
    targets = np.zeros((len(listed.ids), len(columns)), dtype=np.float32)
    for k, column in enumerate(columns):
        for row, cells in enumerate(listed.columns[column]):
            wrong = [cell for cell in cells if cell not in _FLAGS]
            if wrong:
                msg = f"{listed.where}: {column}: expected 0 or 1, got {wrong[0]!r}"
                raise DataError(msg, slug="data/label")
            targets[row, k] = max(_FLAGS[cell] for cell in cells)
    return Labels("", tuple(columns), exclusive=False), targets


_FLAGS = {"": 0, "0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1, "false": 0, "true": 1}


def _separator(cells: Cells) -> str:
    """Find what stands between classes: the first sign that some cell has, or nothing."""
    distinct = {cell for some in cells for cell in some}
    return next((sign for sign in _SEPARATORS if any(sign in cell for cell in distinct)), "")


def _sure_separator(cells: Cells) -> str:
    """Find it where one class is the rule: a space may be part of a name."""
    sign = _separator(cells)
    parts = {part for some in cells for cell in some for part in _split(cell, sign)}
    sure = sign == "|" or (sign == " " and all(part.isdigit() for part in parts))
    return sign if sure else ""


def _split(cell: str, sign: str) -> list[str]:
    parts = cell.split(sign) if sign else [cell]
    return [part.strip() for part in parts if part.strip()]
