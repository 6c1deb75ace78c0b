"""Which probability is the best threshold between false and true."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.evaluation import compute, direction
from fivefold.evaluation.thresholds import equally_good, f1
from fivefold.experiment.musket.asking import NOT_GIVEN
from fivefold.experiment.musket.batches import by_sample

GRID = [number / 100 for number in range(100)]
"""Musket's candidates: 0.00, 0.01, … 0.99."""

Score: TypeAlias = str | Callable[[Any, Any], float]
"""A metric's name; or a function of one sample's truth and of what is above the threshold, both as
in `results`, which is averaged over samples: more is better."""


def check_given(method: str, **arguments: Any) -> None:
    """Make sure that no argument was left out.

    Args:
        method: Whose.
        arguments: Their names and values, in order.

    Raises:
        ConfigError: With all that are missing.
    """
    missing = [name for name, value in arguments.items() if value is NOT_GIVEN]
    if missing:
        message = f"{method}: expected {', '.join(arguments)}, got no {' and no '.join(missing)}"
        hints = "; ".join(f"{name}: {_EXAMPLES[name]}" for name in missing)
        raise ConfigError([Problem("config/musket-argument", "", message, hints)])


_EXAMPLES = {
    "ds": "such as 'validation0', whose samples fold 0's model has not seen",
    "fold": "such as 0, or None for all",
    "func": "such as 'f1', or a function of a sample's truth and answers",
}


def check_score(func: Any, *, named: bool = True) -> None:
    """Make sure that answers can be scored.

    Args:
        func: What is to tell how good they are.
        named: Whether the name of a metric does, too.

    Raises:
        DataError: If it cannot.
    """
    if callable(func) or (named and isinstance(func, str)):
        return
    kinds = "a metric's name or a function" if named else "a function"
    msg = f"func: expected {kinds} of truth and answers, got {func!r:.80}"
    raise DataError(msg, slug="data/callback")


def best_threshold(predictions: Predictions, func: Score, progress: Progress) -> float:
    """Find the first of Musket's candidates with the best score.

    Args:
        predictions: With their truth.
        func: Tells how good the answers at a threshold are.
        progress: Who watches.

    Returns:
        A class is true where its probability is above this.
    """
    with progress.bar("threshold", len(GRID)) as advance:
        scores = []
        for threshold in GRID:
            scores.append(_score(predictions, func, threshold))
            advance(1)
    mode = direction(func) if isinstance(func, str) else "max"
    return equally_good(GRID, scores, mode)[0]


def best_by_class(
    predictions: Predictions, func: Callable[[AnyArray, AnyArray], float] | None = None
) -> dict[str, float]:
    """Find for each class the first of Musket's candidates with the best score.

    Args:
        predictions: With their truth.
        func: From the truth of all samples and the answers at a threshold, both true or false [N],
            to a score; F1 if not given.

    Returns:
        Class name to threshold.
    """
    found = {}
    score = func or f1
    for k, name in enumerate(predictions.class_names):
        truth, probs = predictions.truth[:, k] > 0.5, predictions.probs[:, k]
        scores = [score(truth, probs > threshold) for threshold in GRID]
        found[name] = GRID[int(np.argmax(scores))]
    return found


def _score(predictions: Predictions, func: Score, threshold: float) -> float:
    answers = predictions.probs > threshold
    if isinstance(func, str):
        decided = replace(predictions, probs=answers.astype(np.float32))
        return compute(decided, [func])[func]
    heads = predictions.heads
    pairs = zip(by_sample(predictions.truth, heads), by_sample(answers, heads), strict=True)
    scores = [func(truth, answer) for truth, answer in pairs]
    wrong = [score for score in scores if not _is_number(score)]
    if wrong:
        msg = f"func: expected a finite number for each sample, got {wrong[0]!r:.80}"
        hint = "it is called with a sample's truth and with what is above the threshold"
        raise DataError(msg, hint=hint, slug="data/callback")
    return float(np.mean(scores))


def _is_number(score: Any) -> bool:
    return np.ndim(score) == 0 and np.asarray(score).dtype.kind in "bif" and np.isfinite(score)
