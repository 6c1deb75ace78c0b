"""Predictions as a table for people and spreadsheets."""

import csv
import io
from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import Floats, Head, head_slices
from fivefold.evaluation.metrics import Doubles, Flags
from fivefold.evaluation.thresholds import answers_at

_SEPARATORS = ("|", ";", "$", "~", " + ")
_OF_TABLE = ("id", "path", "fold")
_OF_HEAD = ("truth", "label", "confidence")


def prediction_rows(
    predictions: Predictions, *, thresholds: Doubles | None = None, sets: Flags | None = None
) -> list[list[str]]:
    """Write predictions as text cells, a header first.

    Columns: `id`, `truth` where it is known, `label`, `confidence`, then one probability for each
    class. With several heads each has these columns, its name in front. A softmax head's confidence
    is its label's probability. A sigmoid head's label is every class above its threshold, joined by
    a separator that no class name contains; its confidence is that of its least sure answer. With
    prediction sets there is a column `set` behind it, joined the same way.

    No two columns have one name: a class whose column would be called like another one, or `path`
    or `fold` as in the tables of a run, is written as `<name> (class)`.

    Args:
        predictions: N samples.
        thresholds: Of each column [all classes]; one half if not given.
        sets: Which classes are in the prediction sets [N, all classes].

    Returns:
        N + 1 rows. Probabilities have six decimals.
    """
    fixed = _OF_HEAD if sets is None else (*_OF_HEAD, "set")
    names = _class_columns(predictions.heads, fixed)
    blocks = [
        _block(
            part,
            own,
            None if thresholds is None else thresholds[columns],
            None if sets is None else sets[:, columns],
        )
        for part, own, columns in zip(
            predictions.by_head(), names, head_slices(predictions.heads), strict=True
        )
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


def labels_of(head: Head, values: Floats, thresholds: Doubles | None = None) -> str:
    """Name the classes that probabilities, or a truth of 0 and 1, say [C].

    Args:
        head: Whose they are.
        values: One for each class.
        thresholds: Of a sigmoid head's classes; one half if not given.
    """
    if head.activation != "sigmoid":
        return head.class_names[int(values.argmax())]
    return _joined(head, values > 0.5 if thresholds is None else answers_at(values, thresholds))


def _joined(head: Head, chosen: Flags) -> str:
    names = [name for name, is_in in zip(head.class_names, chosen, strict=True) if is_in]
    return _separator(head.class_names).join(names)


def _class_columns(heads: Sequence[Head], of_head: Sequence[str]) -> list[list[str]]:
    """Name the classes' columns, for each head its own."""
    wanted = [[f"{_prefix(head)}{name}" for name in head.class_names] for head in heads]
    fixed = {f"{_prefix(head)}{name}" for head in heads for name in of_head}
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


def _block(
    predictions: Predictions,
    columns: Sequence[str],
    thresholds: Doubles | None,
    sets: Flags | None,
) -> list[list[str]]:
    head, targets = predictions.heads[0], predictions.targets
    names = [name for name in _OF_HEAD if name != "truth" or targets is not None]
    names += [] if sets is None else ["set"]
    rows = [[*(f"{_prefix(head)}{name}" for name in names), *columns]]
    for i, probs in enumerate(predictions.probs):
        truth = [labels_of(head, targets[i])] if targets is not None else []
        sure = f"{_confidence(head, probs, thresholds):.6f}"
        own = [] if sets is None else [_joined(head, sets[i])]
        numbers = [f"{number:.6f}" for number in probs.tolist()]
        rows.append([*truth, labels_of(head, probs, thresholds), sure, *own, *numbers])
    return rows


def _confidence(head: Head, probs: Floats, thresholds: Doubles | None) -> float:
    if head.activation != "sigmoid":
        return float(probs.max())
    if thresholds is None:
        return float(np.maximum(probs, 1 - probs).min())
    return float(np.where(answers_at(probs, thresholds), probs, 1 - probs).min())


def _separator(class_names: Sequence[str]) -> str:
    free = (s for s in _SEPARATORS if not any(s in name for name in class_names))
    return next(free, "\x1f")
