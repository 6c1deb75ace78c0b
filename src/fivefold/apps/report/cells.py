"""Which samples lie behind a count: of a cell of the matrix, or missed and invented labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.engine.examples import decided

_LISTED = 24  # samples of a cell; the rest are in predictions/oof.csv
_RIGHT_LISTED = 6
_ALL_LISTED, _FEWEST_LISTED, _FULLEST = 20_000, 2, 30


@dataclass(frozen=True)
class Cell:
    """Samples that were judged alike.

    Attributes:
        count: How many there are.
        rows: The most telling of them, as rows of the predictions: of mistakes the surest first,
            of what is right the least sure.
        sure: The probability of what was answered, 0-1, for each of these.
    """

    count: int
    rows: tuple[int, ...]
    sure: tuple[float, ...]


def cells_of(part: Predictions, classes: Sequence[int] | None = None) -> dict[str, Cell]:
    """Sort one head's samples by truth and answer.

    Args:
        part: Predictions of one head with truth.
        classes: Of a softmax head, those whose samples are wanted; all if not given.

    Returns:
        "<true class>,<predicted class>" to a cell; of several labels "missed,<class>",
        "invented,<class>" and "found,<class>". Classes are numbers; empty cells are left out, and
        mistakes come first.
    """
    if part.heads[0].activation == "sigmoid":
        return _of_labels(part)
    count = part.heads[0].num_classes
    truth, answer = part.truth.argmax(axis=1), part.probs.argmax(axis=1)
    sure = part.probs[np.arange(len(part)), answer]
    wanted = np.isin(np.arange(count), range(count) if classes is None else classes)
    is_shown, is_wrong = wanted[truth] & wanted[answer], truth != answer
    keys = truth * count + answer
    wrong = _groups(keys, np.flatnonzero(is_shown & is_wrong), -sure)
    right = _groups(keys, np.flatnonzero(is_shown & ~is_wrong), sure)
    limits = _limits([len(rows) for _, rows in wrong])
    cells = [(key, _cell(rows, sure, n)) for (key, rows), n in zip(wrong, limits, strict=True)]
    cells += [(key, _cell(rows, sure, _RIGHT_LISTED)) for key, rows in right]
    return {f"{key // count},{key % count}": cell for key, cell in cells}


def _limits(counts: Sequence[int]) -> list[int]:
    """Say how many samples each cell lists: of very many cells, only the fullest list as many."""
    most = max(_FEWEST_LISTED, min(_LISTED, _ALL_LISTED // max(len(counts), 1)))
    fullest = set(np.argsort([-count for count in counts], kind="stable")[:_FULLEST].tolist())
    return [_LISTED if i in fullest else most for i in range(len(counts))]


def _groups(keys: Indices, rows: Indices, order: Floats) -> list[tuple[int, Indices]]:
    """Part rows by their key, each part in its order."""
    if not len(rows):
        return []
    ordered = rows[np.lexsort((order[rows], keys[rows]))]  # stable: equal ones stay as they were
    found, starts = np.unique(keys[ordered], return_index=True)
    return list(zip(found.tolist(), np.split(ordered, starts[1:]), strict=True))


def _of_labels(part: Predictions) -> dict[str, Cell]:
    truth, found = part.truth > 0.5, decided(part) > 0.5
    cells: dict[str, Cell] = {}
    for kind, chosen, surest in (
        ("missed", truth & ~found, False),
        ("invented", ~truth & found, True),
        ("found", truth & found, False),
    ):
        limit = _RIGHT_LISTED if kind == "found" else _LISTED
        for k in range(chosen.shape[1]):
            rows = np.flatnonzero(chosen[:, k])
            if len(rows):
                probs = part.probs[:, k]
                order = np.argsort(-probs[rows] if surest else probs[rows], kind="stable")
                cells[f"{kind},{k}"] = _cell(rows[order], probs, limit)
    return cells


def _cell(rows: Indices, sure: AnyArray, limit: int) -> Cell:
    kept = rows[:limit]
    return Cell(len(rows), tuple(kept.tolist()), tuple(map(float, sure[kept])))


def by_count(cells: Mapping[str, Cell], *, mistakes: bool) -> list[Cell]:
    """List cells, those with most samples first.

    Args:
        cells: What `cells_of` gave.
        mistakes: Whether those of mistakes are wanted, or those of what is right.
    """
    chosen = [cell for key, cell in cells.items() if is_mistake(key) == mistakes]
    return sorted(chosen, key=lambda cell: -cell.count)


def is_mistake(key: str) -> bool:
    """Say whether the samples of a cell are mistakes."""
    first, _, second = key.partition(",")
    return first not in (second, "found")
