"""One sentence on the class that is notably worse than the others."""

import math
from collections.abc import Sequence

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.engine.examples import decided
from fivefold.evaluation.assessment import Assessment, ClassScores, HeadAssessment
from fivefold.evaluation.mask_assessment import MaskAssessment

_NOTABLE = 0.1  # below the others' median, or of masks below their mean
_FEWEST = 3  # mistakes; fewer are chance


def weakest_class(predictions: Predictions, assessment: Assessment) -> str:
    """Name the weakest class: by recall, or by F1 where several labels may be true.

    Args:
        predictions: Predictions with truth.
        assessment: Of these.

    Returns:
        A sentence, empty where no class is notably weaker than its head's others.
    """
    heads = zip(predictions.by_head(), assessment.heads, strict=True)
    sentences = [_of_head(part, head) for part, head in heads]
    return max(sentences, default=(0.0, ""))[1]


def _of_head(part: Predictions, head: HeadAssessment) -> tuple[float, str]:
    """Give how far the weakest class is behind, and the sentence."""
    several = part.heads[0].activation == "sigmoid"
    rows = head.classes
    found_by = [row.f1 if several else row.recall for row in rows]
    scores = {i: score.value for i, score in enumerate(found_by) if score.is_defined}
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


def weakest_mask(masks: MaskAssessment) -> str:
    """Name the class whose masks are far worse than those of all together; empty without one."""
    shown = masks.classes[1:] if masks.head.activation == "softmax" else masks.classes
    known = [own for own in shown if own.numbers["iou"].is_defined and own.pixels]
    if len(known) < 2:
        return ""
    worst = min(known, key=lambda own: own.numbers["iou"].value)
    iou = worst.numbers["iou"].value
    if float(np.mean([own.numbers["iou"].value for own in known])) - iou < _NOTABLE:
        return ""
    precision, recall = (worst.numbers[name].value for name in ("precision", "recall"))
    told = (
        f"recall {recall:.2f}"
        if math.isnan(precision) or recall < precision
        else (f"precision {precision:.2f}")
    )
    return f"Weakest class: {worst.name}, IoU {iou:.2f} ({told})."


def _f1(row: ClassScores, missed: int, invented: int) -> str:
    counts = f"{missed} of {row.support} missed; {invented} found where it is not"
    return f"F1 {row.f1.value:.2f} ({counts})"


def _recall(part: Predictions, rows: Sequence[ClassScores], weakest: int, missed: int) -> str:
    of_class = part.truth[:, weakest] > 0.5
    taken = decided(part)[of_class].sum(axis=0)
    taken[weakest] = 0
    other = int(taken.argmax())
    row = rows[weakest]
    counts = f"{missed} of {row.support} missed; {taken[other]:.0f} taken for {rows[other].name}"
    return f"recall {row.recall.value:.2f} ({counts})"
