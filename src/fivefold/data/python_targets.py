"""From the `y` of Python items to columns of 0 and 1."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Floats
from fivefold.data.source import Labels, in_class_order

logger = logging.getLogger(__name__)

Item = tuple[str, Any]
"""A sample's id and its y."""

_MOST_CLASSES = 100_000
_FORMS = "a class number, a class name, a 0/1 vector, or a list of vectors"


@dataclass(frozen=True, eq=False)
class Column:
    """One output: what its columns mean, and their values for every item [N, C]."""

    labels: Labels
    targets: Floats


def columns_of(
    items: Sequence[Item], class_names: tuple[str, ...], labels: tuple[Labels, ...] | None
) -> list[Column]:
    """Find out what the labels mean.

    Args:
        items: Ids and labels of all samples.
        class_names: Names that the data set gives; empty when it gives none.
        labels: What the targets mean, where that is known already.

    Returns:
        One column group for each output; none when no sample has a label.

    Raises:
        DataError: If labels differ in kind or length, or are out of range.
    """
    if labels == () or not items or all(y is None for _, y in items):
        return []
    outputs = _outputs(items)
    if labels is not None and len(labels) != len(outputs):
        raise _wrong(items[0], f"{len(labels)} outputs")
    columns = []
    for position, output in enumerate(outputs):
        known = labels[position] if labels else None
        name = known.name if known else ("" if len(outputs) == 1 else f"output_{position}")
        names = known.class_names if known else (class_names if len(outputs) == 1 else ())
        targets, found = _encoded(output, names, must_fit=known is not None)
        exclusive = known.exclusive if known else _is_exclusive(targets)
        columns.append(Column(Labels(name, found, exclusive), targets))
    return columns


def _outputs(items: Sequence[Item]) -> list[list[Item]]:
    """Separate several outputs; a list or tuple of numbers is one vector."""
    if not _is_several(items[0][1]):
        return [list(items)]
    count = len(items[0][1])
    for item in items:
        if not _is_several(item[1]) or len(item[1]) != count:
            raise _wrong(item, f"a list of {count} vectors as before")
    return [[(sample_id, y[k]) for sample_id, y in items] for k in range(count)]


def _is_several(y: Any) -> bool:
    return isinstance(y, (list, tuple)) and bool(y) and any(np.ndim(part) > 0 for part in y)


def _is_exclusive(targets: Floats) -> bool:
    return targets.shape[1] > 1 and bool((targets.sum(axis=1) == 1).all())


def _encoded(
    items: list[Item], names: tuple[str, ...], *, must_fit: bool
) -> tuple[Floats, tuple[str, ...]]:
    first = items[0][1]
    if isinstance(first, str):
        return _from_names(items, names)
    if isinstance(first, (bool, np.bool_)):
        return _from_vectors([(i, np.atleast_1d(y)) for i, y in items], names, must_fit=must_fit)
    if np.ndim(first) == 0:
        return _from_numbers(items, names)
    return _from_vectors(items, names, must_fit=must_fit)


def _from_names(items: list[Item], names: tuple[str, ...]) -> tuple[Floats, tuple[str, ...]]:
    for item in items:
        if not isinstance(item[1], str) or (names and item[1] not in names):
            raise _wrong(item, "the name of a class as before" if not names else f"one of {names}")
    found = names or in_class_order(y for _, y in items)
    column = {name: k for k, name in enumerate(found)}
    return _one_hot([column[y] for _, y in items], len(found)), found


def _from_numbers(items: list[Item], names: tuple[str, ...]) -> tuple[Floats, tuple[str, ...]]:
    # each number up to the highest makes a column, so an id taken for a class would fill the memory
    top = len(names) - 1 if names else _MOST_CLASSES - 1
    numbers = []
    for item in items:
        value = _number(item)
        if not 0 <= value <= top:
            raise _wrong(item, f"a class number from 0 to {top}")
        numbers.append(value)
    found = names or tuple(str(k) for k in range(max(numbers) + 1))
    return _one_hot(numbers, len(found)), found


def _number(item: Item) -> int:
    value = np.asarray(item[1])
    whole = value.dtype.kind in "ui" or (value.dtype.kind == "f" and value % 1 == 0)
    if value.ndim != 0 or not whole:
        raise _wrong(item, f"a whole number, or for all samples another of {_FORMS}")
    return int(value)


def _from_vectors(
    items: list[Item], names: tuple[str, ...], *, must_fit: bool
) -> tuple[Floats, tuple[str, ...]]:
    length = len(names) if must_fit else np.size(items[0][1])
    rows = np.stack([_vector(item, length) for item in items])
    if len(names) == length:
        return rows, names
    if names:
        text = "the data set names %d classes, but its labels have %d places: numbers are used"
        logger.warning(text, len(names), length)
    return rows, tuple(str(k) for k in range(length))


def _vector(item: Item, length: int) -> Floats:
    try:
        values = np.asarray(item[1], dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise _wrong(item, _FORMS) from error
    if values.ndim > 1:
        raise _wrong(item, _FORMS)
    if values.shape != (length,) or not np.isin(values, (0, 1)).all():
        raise _wrong(item, f"a vector of {length} zeros and ones")
    return values


def _one_hot(numbers: list[int], num_classes: int) -> Floats:
    targets = np.zeros((len(numbers), num_classes), dtype=np.float32)
    targets[np.arange(len(numbers)), numbers] = 1
    return targets


def _wrong(item: Item, expected: str) -> DataError:
    text = repr(item[1])
    shown = text if len(text) <= 80 else text[:77] + "…"
    msg = f"{item[0]}: label: expected {expected}, got {shown}"
    return DataError(msg, slug="data/label")
