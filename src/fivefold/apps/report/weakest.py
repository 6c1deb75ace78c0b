"""One sentence on the class that is notably worse than the others."""

import numpy as np

from fivefold.apps.report.matrices import ClassRow, class_rows
from fivefold.core.predictions import Predictions
from fivefold.engine.examples import decided

_NOTABLE = 0.1  # below the others' median
_FEWEST = 3  # mistakes; fewer are chance


def weakest_class(predictions: Predictions) -> str:
    """Name the weakest class: by recall, or by F1 where several labels may be true.

    Args:
        predictions: Predictions with truth.

    Returns:
        A sentence, empty where no class is notably weaker than its head's others.
    """
    sentences = [_of_head(part) for part in predictions.by_head()]
    return max(sentences, default=(0.0, ""))[1]


def _of_head(part: Predictions) -> tuple[float, str]:
    """Give how far the weakest class is behind, and the sentence."""
    several = part.heads[0].activation == "sigmoid"
    rows = class_rows(part)
    scores = {i: row.f1 if several else row.recall for i, row in enumerate(rows) if row.support}
    if len(scores) < 2:
        return 0.0, ""
    weakest = min(scores, key=scores.__getitem__)
    behind = float(np.median([scores[i] for i in scores if i != weakest])) - scores[weakest]
    truth, found = part.truth[:, weakest] > 0.5, decided(part)[:, weakest] > 0.5
    missed, invented = int((truth & ~found).sum()), int((found & ~truth).sum())
    if behind < _NOTABLE or missed + several * invented < _FEWEST:
        return 0.0, ""
    of_head = f" of {part.heads[0].name}" if part.heads[0].name else ""
    how = _f1(rows[weakest], missed, invented) if several else _recall(part, rows, weakest, missed)
    return behind, f"Weakest class{of_head}: {rows[weakest].name}, {how}."


def _f1(row: ClassRow, missed: int, invented: int) -> str:
    return f"F1 {row.f1:.2f} ({missed} of {row.support} missed; {invented} found where it is not)"


def _recall(part: Predictions, rows: list[ClassRow], weakest: int, missed: int) -> str:
    of_class = part.truth[:, weakest] > 0.5
    taken = decided(part)[of_class].sum(axis=0)
    taken[weakest] = 0
    other = int(taken.argmax())
    row = rows[weakest]
    counts = f"{missed} of {row.support} missed; {taken[other]:.0f} taken for {rows[other].name}"
    return f"recall {row.recall:.2f} ({counts})"
