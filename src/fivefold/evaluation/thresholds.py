"""Decision thresholds of sigmoid heads: a class is answered where it is more probable than that.

They are chosen on out-of-fold predictions alone, among all that make a difference: what is answered
changes only at probabilities that occur. Between two of these all thresholds are as good: it is 0.5
if that is among them, else the middle. Of several ways that are as good, it is the one whose
threshold is nearest to 0.5, and of two as near the higher one.

Where nothing reaches the asked precision, the threshold is `NEVER`, which no probability is above:
to answer would break what was asked for. Where no sample of a class is true, there is no F and no
recall, and its threshold stays 0.5. Both are told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import AnyArray, Floats
from fivefold.evaluation.metrics import Doubles, Flags, check_usable
from fivefold.evaluation.monitors import Direction, is_better

USUAL, NEVER = 0.5, 1.0

NOT_NEEDED = (
    "its most probable class is the answer, which needs none: they are for outputs with "
    "`activation: sigmoid`"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Chosen:
    """Thresholds of one head.

    Attributes:
        thresholds: One for each class, 0-1; empty of a head that answers with its highest
            probability, which needs none.
        remarks: What could not be had, a sentence each.
    """

    thresholds: tuple[float, ...]
    remarks: tuple[str, ...] = ()


def choose_thresholds(predictions: Predictions, aim: ThresholdAim) -> Chosen:
    """Choose the thresholds of one head.

    With one threshold for all classes, precision, recall and F are those of all answers together
    (micro); `exact_match` always has one, of a range of candidates.

    Args:
        predictions: Of one head, out-of-fold, with targets.
        aim: What they are for.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    check_usable(predictions)
    head = predictions.heads[0]
    if head.activation != "sigmoid":
        return Chosen((), () if aim == ThresholdAim() else (NOT_NEEDED,))
    count = head.num_classes
    if aim.kind == "fixed":
        return Chosen((aim.value,) * count)
    truth = predictions.truth > 0.5
    if aim.kind == "exact_match":
        return Chosen((_most_exact(predictions.probs, truth, aim.range),) * count)
    if not aim.per_class:
        threshold, remark = choose_cut(_cuts(predictions.probs.ravel(), truth.ravel()), aim)
        return Chosen((threshold,) * count, (f"all classes: {remark}",) if remark else ())
    cuts = [_cuts(predictions.probs[:, k], truth[:, k]) for k in range(count)]
    found = [choose_cut(own, aim) for own in cuts]
    named = zip(head.class_names, found, strict=True)
    remarks = tuple(f"{name!r}: {remark}" for name, (_, remark) in named if remark)
    return Chosen(tuple(threshold for threshold, _ in found), remarks)


def answers_at(probs: Floats, thresholds: Sequence[float] | Doubles) -> Flags:
    """Say which classes are answered: those more probable than their thresholds [N, C].

    Args:
        probs: Of a sigmoid head [N, C], or of one sample [C].
        thresholds: One for each class.
    """
    exact = np.asarray(thresholds, dtype=np.float64)
    near = exact.astype(np.float32)
    # The largest float32 that is not above it: comparing with that is as exact, without a copy.
    below = np.where(near > exact, np.nextafter(near, np.float32(-1)), near)
    # A mean of several views may be rounded to a little more than 1.
    answers: Flags = probs > np.where(exact >= NEVER, np.float32(np.inf), below)
    return answers


def equally_good(
    candidates: Sequence[T], scores: Sequence[float], mode: Direction = "max"
) -> list[T]:
    """Find all candidates with the best score, in their order; all of them if none has one."""
    best = scores[0]
    for score in scores:
        best = score if is_better(score, best, mode) else best
    if np.isnan(best):
        return list(candidates)
    pairs = zip(candidates, scores, strict=True)
    return [candidate for candidate, score in pairs if score == best]


def f1(truth: AnyArray, answers: AnyArray) -> float:
    """Twice the hits over the sum of true and answered ones [N]; 0 without any."""
    total = int(truth.sum() + answers.sum())
    return 2 * int((truth & answers).sum()) / total if total else 0.0


class Cuts(NamedTuple):
    """Ways to answer the most probable samples: none, or as far as to one that is true.

    To go on to samples of which none is true would only add wrong answers.

    Attributes:
        thresholds: Which do so [K], falling.
        hits: How many true ones are answered [K].
        answered: How many are answered [K].
        positives: How many are true at all.
    """

    thresholds: Doubles
    hits: Doubles
    answered: Doubles
    positives: int


def _cuts(probs: Floats, positive: Flags) -> Cuts:
    rising = np.sort(probs.clip(0, 1))  # a mean of views may be rounded out of it
    true = np.sort(probs[positive].clip(0, 1))
    # A threshold cannot separate equal probabilities, and none is below 0.
    high = np.unique(true[true > 0])[::-1]
    below = np.searchsorted(rising, high)
    low = np.where(below > 0, rising[np.maximum(below, 1) - 1], 0).astype(np.float64)
    thresholds = np.where((low <= USUAL) & (high > USUAL), USUAL, (low + high) / 2)
    hits = len(true) - np.searchsorted(true, high)
    return Cuts(
        thresholds=np.append(NEVER, thresholds),
        hits=np.append(0, hits).astype(np.float64),
        answered=np.append(0, len(rising) - below).astype(np.float64),
        positives=len(true),
    )


def choose_cut(cuts: Cuts, aim: ThresholdAim) -> tuple[float, str]:
    """Choose a threshold among those that make a difference.

    Args:
        cuts: Of one class, or of all together.
        aim: An F, a precision or a recall.

    Returns:
        The threshold, and what could not be had, or "".
    """
    return _CHOICES[aim.kind](cuts, aim.value)


def _highest_f(cuts: Cuts, beta: float) -> tuple[float, str]:
    if not cuts.positives:
        return USUAL, "true of no sample: the threshold stays 0.5"
    square = beta**2
    scores = (1 + square) * cuts.hits / (cuts.answered + square * cuts.positives)
    return nearest_to_usual(cuts.thresholds[scores == scores.max()]), ""


def _at_precision(cuts: Cuts, least: float) -> tuple[float, str]:
    if not cuts.positives:
        return NEVER, f"true of no sample, and so without a precision of {least:g}: never answered"
    precision = cuts.hits[1:] / cuts.answered[1:]
    enough = precision >= least
    if not enough.any():
        best = precision.max(initial=0)
        found = f"no threshold has a precision of {least:g}, it is at most {best:.4g}"
        return NEVER, f"{found}: never answered"
    # Of ways with as many hits there is only the one with the fewest answers.
    place = int(np.argmax(np.where(enough, cuts.hits[1:], -1)))
    return float(cuts.thresholds[1:][place]), ""


def _at_recall(cuts: Cuts, least: float) -> tuple[float, str]:
    if not cuts.positives:
        return USUAL, "true of no sample: the threshold stays 0.5"
    recall = cuts.hits / cuts.positives
    enough = (recall >= least) & (cuts.answered > 0)
    if not enough.any():
        found = f"no threshold has a recall of {least:g}, it is at most {recall.max():.4g}"
        return 0.0, f"{found}: answered wherever it is not impossible"
    precision = np.where(enough, cuts.hits / np.maximum(cuts.answered, 1), -1)
    return nearest_to_usual(cuts.thresholds[precision == precision.max()]), ""


_CHOICES: dict[str, Callable[[Cuts, float], tuple[float, str]]] = {
    "f_beta": _highest_f,
    "precision": _at_precision,
    "recall": _at_recall,
}


def _most_exact(probs: Floats, truth: Flags, asked: tuple[float, float, float]) -> float:
    start, stop, step = asked
    # A little beyond, since 0.01 + 98 * 0.01 is rounded.
    grid = [round(start + k * step, 12) for k in range(int((stop - start) / step + 1e-6) + 1)]
    exact = _exactly_right(probs, truth)
    able = exact.low < exact.high
    begun, over = (np.sort(ends[able]) for ends in exact)
    # As many are right as have begun to be, less those for which the threshold is already too high.
    right = np.searchsorted(begun, grid, side="right") - np.searchsorted(over, grid, side="right")
    return nearest_to_usual(np.array(equally_good(grid, right.astype(float).tolist())))


class _Right(NamedTuple):
    """From which threshold on, and below which, a sample has no wrong answer [N]."""

    low: Doubles
    high: Doubles


def _exactly_right(probs: Floats, truth: Flags) -> _Right:
    """A sample is right where each true class is above the threshold and no other one is."""
    infinity = np.float32(np.inf)
    low = np.where(truth, -infinity, probs).max(axis=1).astype(np.float64)
    return _Right(low, np.where(truth, probs, infinity).min(axis=1).astype(np.float64))


def nearest_to_usual(thresholds: Doubles) -> float:
    """Take the threshold that is nearest to 0.5, of two the higher one."""
    return float(min(thresholds, key=lambda t: (abs(t - USUAL), -t)))
