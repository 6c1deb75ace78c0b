"""A CSV table with one image a row."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Floats
from fivefold.data.columns import find_image_column, find_label_columns
from fivefold.data.csv_text import Row, Table, read_table
from fivefold.data.files import FileSource, check_folder
from fivefold.data.named_files import paths_of
from fivefold.data.source import Labels, in_class_order, sources

logger = logging.getLogger(__name__)

_SEPARATORS = ("|", ";", " ")


@sources.add(name="csv")
class CsvSource(FileSource):
    """Images named by a table; the cell of the image column is the sample's id.

    Args:
        csv_path: The table, UTF-8, with a header.
        images_dir: Where the images are; nothing outside of it is read.
        image_column: The column of ids: paths below `images_dir`, with or without ending. By
            default found by its cells and its name.
        label_column: The column of labels, or several of them for one output each.
        separator: What stands between several labels in one cell; an empty cell then means none
            of the classes. By default found: one of `|`, `;` and space whose parts are all labels
            of other rows too.
        extension: The ending to try first where an id has none.
        labelled: Whether labels are wanted.

    Attributes:
        image_column: The column of ids.
        label_columns: The columns of labels.
        separators: For each of them what stands between several labels; None where each cell is
            one label.
    """

    def __init__(
        self,
        csv_path: Path,
        images_dir: Path,
        *,
        image_column: str | None = None,
        label_column: str | Sequence[str] | None = None,
        separator: str | None = None,
        extension: str | None = None,
        labelled: bool = True,
    ) -> None:
        check_folder(images_dir)
        table = read_table(csv_path)
        column = find_image_column(csv_path, table, image_column, images_dir, extension)
        wanted = find_label_columns(csv_path, table, label_column, column) if labelled else []
        signs, warnings = _signs(table, wanted, separator)
        rows, self.excluded = _kept(csv_path, table, column, dict(zip(wanted, signs, strict=True)))
        ids = [row.cells[column].strip() for row in rows]
        outputs = []
        for k, sign in zip(wanted, signs, strict=True):
            cells = [row.cells[k] for row in rows]
            name = table.columns[k] if len(wanted) > 1 else ""
            outputs.append(_encoded(cells, name=name, separator=sign))
            warnings += _without_label(table.columns[k], cells)
        targets = np.concatenate([values for _, values in outputs], axis=1) if outputs else None
        labels = tuple(labels for labels, _ in outputs)
        super().__init__(ids, paths_of(images_dir, ids, extension), labels, targets)
        self.image_column = table.columns[column]
        self.label_columns = tuple(table.columns[k] for k in wanted)
        self.separators = tuple(signs)
        self.warnings = tuple(warnings)


def _signs(
    table: Table, wanted: Sequence[int], separator: str | None
) -> tuple[list[str | None], list[str]]:
    """Settle what separates labels in each column, with warnings about what looks like it."""
    if separator:
        return [separator] * len(wanted), []
    found = [_found_separator(row.cells[k] for row in table.rows) for k in wanted]
    warnings = [f"{warning}; set `separator`" for _, warning in found if warning]
    return [sign for sign, _ in found], warnings


def _without_label(column: str, cells: Sequence[str]) -> list[str]:
    """Word a warning about empty cells; rows whose cells must have a label are gone by now."""
    empty = sum(not cell.strip() for cell in cells)
    if not empty:
        return []
    rows = "1 row has" if empty == 1 else f"{empty:,} rows have"
    return [f"{rows} nothing in {column!r}: kept as images with none of its classes"]


def _kept(
    path: Path, table: Table, column: int, wanted: Mapping[int, str | None]
) -> tuple[list[Row], tuple[tuple[str, str], ...]]:
    """Drop rows without an id or a label, and rows that repeat another word for word.

    A column whose cells may hold several labels may hold none, too.

    Raises:
        DataError: If rows with one id have different labels; names their lines.
    """
    first: dict[str, Row] = {}
    excluded: list[tuple[str, str]] = []
    clashes: list[str] = []
    for row in table.rows:
        sample_id = row.cells[column].strip()
        earlier = first.get(sample_id)
        if not sample_id:
            excluded.append((f"line {row.line}", "no-id"))
        elif any(not sign and not row.cells[k].strip() for k, sign in wanted.items()):
            excluded.append((sample_id, "no-label"))
        elif earlier is None:
            first[sample_id] = row
        elif all(earlier.cells[k] == row.cells[k] for k in wanted):
            excluded.append((sample_id, "repeated-row"))
        else:
            clashes.append(f"lines {earlier.line} and {row.line}: {sample_id!r}")
    if clashes:
        more = f"; {len(clashes) - 10} more" if len(clashes) > 10 else ""
        shown = "; ".join(clashes[:10])
        msg = f"{path}: expected one label for each image, got different ones: {shown}{more}"
        hint = "remove the wrong rows; several labels of one image belong into one cell"
        raise DataError(msg, hint=hint, slug="data/duplicate-id")
    return list(first.values()), tuple(excluded)


def _encoded(cells: Sequence[str], *, name: str, separator: str | None) -> tuple[Labels, Floats]:
    """Turn one column's cells into its classes and targets [N, C]."""
    parts = [_split(cell, separator) if separator else [cell] for cell in cells]
    class_names = in_class_order(part for some in parts for part in some)
    column: Mapping[str, int] = {part: k for k, part in enumerate(class_names)}
    targets = np.zeros((len(cells), len(class_names)), dtype=np.float32)
    for row, some in enumerate(parts):
        targets[row, [column[part] for part in some]] = 1
    return Labels(name, class_names, exclusive=not separator), targets


def _split(cell: str, separator: str) -> list[str]:
    return [part.strip() for part in cell.split(separator) if part.strip()]


def _found_separator(cells: Iterable[str]) -> tuple[str | None, str]:
    """Find the sign between labels: it is one where each part occurs in another label too.

    Returns:
        The sign or None, and a warning about signs that look like one but are not, or nothing.
    """
    distinct = {cell for cell in cells if cell.strip()}
    warning = ""
    for sign in _SEPARATORS:
        joint = [cell for cell in distinct if len(_split(cell, sign)) > 1]
        times = Counter(part for cell in distinct for part in set(_split(cell, sign)))
        recur = joint and all(times[part] > 1 for cell in joint for part in _split(cell, sign))
        # "black cat" and "white cat" are names; only numbers are lists without a doubt.
        if recur and (sign != " " or all(part.isdigit() for part in times)):
            logger.info("cells hold several labels each, separated by %r", sign)
            return sign, ""
        if joint and (recur or sign != " "):
            warning = (
                f"labels such as {min(joint)!r} contain {sign!r} but are read as one class each"
            )
    return None, warning
