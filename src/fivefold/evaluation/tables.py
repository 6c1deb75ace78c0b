"""Predictions as a table for people and spreadsheets."""

import csv
import io
from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import Floats, Head

_SEPARATORS = ("|", ";", "$", "~", " + ")
_OF_TABLE = ("id", "path", "fold")
_OF_HEAD = ("truth", "label", "confidence")


def prediction_rows(predictions: Predictions) -> list[list[str]]:
    """Write predictions as text cells, a header first.

    Columns: `id`, `truth` where it is known, `label`, `confidence`, then one probability for each
    class. With several heads each has these columns, its name in front. A softmax head's confidence
    is its label's probability. A sigmoid head's label is every class above one half, joined by a
    separator that no class name contains; its confidence is that of its least sure answer.

    No two columns have one name: a class whose column would be called like another one, or `path`
    or `fold` as in the tables of a run, is written as `<name> (class)`.

    Args:
        predictions: N samples.

    Returns:
        N + 1 rows. Probabilities have six decimals.
    """
    heads = predictions.by_head()
    blocks = [
        _block(head, columns)
        for head, columns in zip(heads, _class_columns(predictions.heads), strict=True)
    ]
    ids = ["id", *predictions.ids]
    return [[ids[i], *(cell for block in blocks for cell in block[i])] for i in range(len(ids))]


def csv_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    """Write rows as CSV; file names that are not valid UTF-8 keep their bytes."""
    text = io.StringIO()
    plain = csv.writer(text, lineterminator="\n")
    # Left without quotes, a lone carriage return would end the row for whoever reads it.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        writer = quoted if any("\r" in str(cell) for cell in row) else plain
        writer.writerow(row)
    return text.getvalue().encode("utf-8", "surrogateescape")


def labels_of(head: Head, values: Floats) -> str:
    """Name the classes that probabilities, or a truth of 0 and 1, say [C]."""
    if head.activation != "sigmoid":
        return head.class_names[int(values.argmax())]
    chosen = [name for name, v in zip(head.class_names, values, strict=True) if v > 0.5]
    return _separator(head.class_names).join(chosen)


def _class_columns(heads: Sequence[Head]) -> list[list[str]]:
    """Name the classes' columns, for each head its own."""
    wanted = [[f"{_prefix(head)}{name}" for name in head.class_names] for head in heads]
    fixed = {f"{_prefix(head)}{name}" for head in heads for name in _OF_HEAD}
    counts = Counter([*_OF_TABLE, *fixed, *(name for names in wanted for name in names)])
    taken = set(counts)
    result = []
    for names in wanted:
        result.append([name if counts[name] == 1 else _free(name, taken) for name in names])
        taken.update(result[-1])
    return result


def _free(name: str, taken: Container[str]) -> str:
    while name in taken:
        name += " (class)"
    return name


def _prefix(head: Head) -> str:
    return f"{head.name}_" if head.name else ""


def _block(predictions: Predictions, columns: Sequence[str]) -> list[list[str]]:
    head, targets = predictions.heads[0], predictions.targets
    names = [name for name in _OF_HEAD if name != "truth" or targets is not None]
    rows = [[*(f"{_prefix(head)}{name}" for name in names), *columns]]
    for i, probs in enumerate(predictions.probs):
        truth = [labels_of(head, targets[i])] if targets is not None else []
        numbers = [_confidence(head, probs), *probs.tolist()]
        rows.append([*truth, labels_of(head, probs), *(f"{number:.6f}" for number in numbers)])
    return rows


def _confidence(head: Head, probs: Floats) -> float:
    if head.activation != "sigmoid":
        return float(probs.max())
    return float(np.maximum(probs, 1 - probs).min())


def _separator(class_names: Sequence[str]) -> str:
    free = (s for s in _SEPARATORS if not any(s in name for name in class_names))
    return next(free, "\x1f")
