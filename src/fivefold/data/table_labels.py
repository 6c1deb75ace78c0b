"""From the label cells of a table to classes and truths."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.columns import FLAGS
from fivefold.data.packed_numbers import PackedTargets, targets_in_parts
from fivefold.data.source import Labels, in_class_order
from fivefold.data.text_table import LIST_SIGN, CodedTexts, Table, coded

_SEPARATORS = ("|", ";", "$", ",", " ")
_MOST_CLASSES = 100_000


@dataclass(frozen=True, eq=False)
class Output:
    """One question that a table's labels answer.

    Attributes:
        labels: Its classes.
        targets: The truth of each different cell [D, C].
        codes: Which cell each sample has [N].
    """

    labels: Labels
    targets: Floats | PackedTargets
    codes: AnyArray

    def has_in(self, mask: AnyArray) -> AnyArray:
        """Tell which classes some of the samples of a mask [N] have [C]."""
        cells = np.unique(self.codes[mask])
        return np.asarray((np.asarray(self.targets[cells]) > 0).any(axis=0))


@dataclass(frozen=True)
class Signs:
    """What separates labels in each label column.

    Attributes:
        signs: One for each column; None where each cell is one label.
        notes: What was found by itself.
        warnings: What looks like a sign and is read as part of a name.
    """

    signs: tuple[str | None, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_signs(table: Table, wanted: Sequence[int], separator: str | None) -> Signs:
    """Settle what separates labels: what is asked for, else what the cells show.

    Args:
        table: Its columns and rows.
        wanted: Which columns have labels.
        separator: What is asked for; None finds it.
    """
    signs: list[str | None] = []
    notes, warnings = [], []
    for k in wanted:
        if k in table.lists or separator:
            signs.append(LIST_SIGN if k in table.lists else separator)
            continue
        sign, warning = _found_separator(coded(table.cells[k]).names)
        signs.append(sign)
        if sign:
            notes.append(
                f"cells of {table.columns[k]!r} hold several labels, between them {sign!r}"
            )
        if warning:
            warnings.append(f"{warning}; set `separator`")
    return Signs(tuple(signs), tuple(notes), tuple(warnings))


def column_output(table: Table, k: int, rows: Indices, sign: str | None, name: str) -> Output:
    """Read a column of labels.

    Args:
        table: Its columns and rows.
        k: Which column.
        rows: The rows that count, at least one label each where there is no sign.
        sign: What separates labels; None where each cell is one.
        name: What the output is called.

    Raises:
        DataError: If there are more classes than anything could learn.
    """
    cells = coded(table.cells[k])
    used, codes = np.unique(cells.codes[rows], return_inverse=True)
    parts = [split(cells.names[i], sign) if sign else [cells.names[i]] for i in used.tolist()]
    class_names = in_class_order(part for some in parts for part in some)
    if len(class_names) > _MOST_CLASSES:
        found = f"{len(class_names):,} different ones in {len(rows):,} rows"
        msg = f"{table.path}: {table.columns[k]!r}: expected labels that recur, got {found}"
        raise DataError(msg, hint="set `label_column` to another one", slug="data/label")
    place = {part: column for column, part in enumerate(class_names)}

    def rows_of(places: range) -> Floats:
        found = np.zeros((len(places), len(class_names)), dtype=np.float32)
        for row, some in enumerate(parts[places.start : places.stop]):
            found[row, [place[part] for part in some]] = 1
        return found

    labels = Labels(name, class_names, exclusive=not sign)
    targets = targets_in_parts(len(parts), rows_of) if parts else np.zeros((0, 0), np.float32)
    return Output(labels, targets, codes.ravel())


def indicator_output(table: Table, columns: Sequence[int], rows: Indices) -> tuple[Output, str]:
    """Read columns of 0 and 1, each of which is a class.

    Where every row has exactly one 1, one class excludes the others.

    Args:
        table: Its columns and rows.
        columns: Which columns.
        rows: The rows that count.

    Returns:
        What they say, and a warning about empty cells or nothing.

    Raises:
        DataError: If a cell is neither 0 nor 1; names its line.
    """
    flags = np.zeros((len(rows), len(columns)), dtype=bool)
    empty = 0
    for place, k in enumerate(columns):
        cells = coded(table.cells[k])
        codes = cells.codes[rows]
        flags[:, place] = _flags(table, k, cells, rows)[codes]
        blank = np.array([not name.strip() for name in cells.names], dtype=bool)
        empty += int(blank[codes].sum()) if blank.any() else 0
    bits, codes = np.unique(np.packbits(flags, axis=1), axis=0, return_inverse=True)
    exclusive = bool(len(rows)) and bool((flags.sum(axis=1) == 1).all())
    labels = Labels("", tuple(table.columns[k] for k in columns), exclusive)
    cells_are = "1 cell of 0 and 1 is" if empty == 1 else f"{empty:,} cells of 0 and 1 are"
    warning = f"{cells_are} empty: read as 0" if empty else ""
    return Output(labels, PackedTargets(bits, len(columns)), codes.ravel()), warning


def joined_targets(outputs: Sequence[Output], count: int) -> Floats | PackedTargets | None:
    """Put the truths of all outputs beside each other [N, all classes]; None without any."""
    if not outputs:
        return None

    def rows_of(places: range) -> Floats:
        own = slice(places.start, places.stop)
        parts = [np.asarray(output.targets[output.codes[own]]) for output in outputs]
        return np.concatenate(parts, axis=1)

    width = sum(len(output.labels.class_names) for output in outputs)
    return targets_in_parts(count, rows_of) if count else np.zeros((0, width), np.float32)


def split(cell: str, separator: str) -> list[str]:
    """Divide a cell into its labels."""
    return [part.strip() for part in cell.split(separator) if part.strip()]


def _flags(table: Table, k: int, cells: CodedTexts, rows: Indices) -> AnyArray:
    """Read what each different cell of an indicator column says [D]."""
    plain = [name.strip().casefold() for name in cells.names]
    wrong = [i for i, text in enumerate(plain) if text and text not in FLAGS]
    at = rows[np.isin(cells.codes[rows], wrong)] if wrong else rows[:0]
    if len(at):
        got = table.cells[k][int(at[0])]
        msg = f"{table.place(int(at[0]))}: {table.columns[k]!r}: expected 0 or 1, got {got!r:.60}"
        hint = "a column of other values is no `indicator_columns`; leave it out"
        raise DataError(msg, hint=hint, slug="data/label")
    return np.array([FLAGS.get(text, False) for text in plain], dtype=bool)


def _found_separator(cells: Iterable[str]) -> tuple[str | None, str]:
    """Find the sign between labels: it is one where each part occurs in another label too.

    Returns:
        The sign or None, and a warning about signs that look like one but are not, or nothing.
    """
    distinct = {cell for cell in cells if cell.strip()}
    warning = ""
    for sign in _SEPARATORS:
        joint = [cell for cell in distinct if len(split(cell, sign)) > 1]
        if not joint:
            continue
        times = Counter(part for cell in distinct for part in set(split(cell, sign)))
        recur = all(times[part] > 1 for cell in joint for part in split(cell, sign))
        # "black cat" and "white cat" are names; only numbers are lists without a doubt.
        if recur and (sign != " " or all(part.isdigit() for part in times)):
            return sign, ""
        if recur or sign not in (" ", ","):
            warning = warning or (
                f"labels such as {min(joint)!r} contain {sign!r} but are read as one class each"
            )
    return None, warning
