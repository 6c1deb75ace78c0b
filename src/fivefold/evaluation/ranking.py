"""Metrics of the order that probabilities put samples in, whatever the threshold.

Definitions are scikit-learn's (`roc_auc_score`, `average_precision_score`).
"""

import functools
import logging
from collections.abc import Callable

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.evaluation.metrics import Doubles, Flags, checked, metrics

logger = logging.getLogger(__name__)


@metrics.add("roc_auc", "auroc", best="max")
def auc(predictions: Predictions) -> float:
    """Mean over classes of the area under the ROC curve, each class against the rest.

    Classes that are true of no sample or of all have no curve and are left out; NaN, with one
    warning, when no class is left.
    """
    return _over_classes("auc", predictions, area_under_roc)


@metrics.add(best="max")
def micro_auc(predictions: Predictions) -> float:
    """Area under the ROC curve of all answers together, whatever their class."""
    probs, truth = checked(predictions)
    return _or_nan("micro_auc", predictions, area_under_roc(probs.ravel(), truth.ravel() > 0.5))


@metrics.add("pr_auc", "mean_average_precision", best="max")
def average_precision(predictions: Predictions) -> float:
    """Mean over classes of the average precision: that at each true sample, by probability.

    The sum over thresholds of precision times the recall gained, as scikit-learn has it, without
    interpolation. Classes that are true of no sample or of all are left out as in `auc`.
    """
    return _over_classes("average_precision", predictions, precision_over_recall)


@metrics.add(best="max")
def micro_average_precision(predictions: Predictions) -> float:
    """Average precision of all answers together, whatever their class."""
    probs, truth = checked(predictions)
    value = precision_over_recall(probs.ravel(), truth.ravel() > 0.5)
    return _or_nan("micro_average_precision", predictions, value)


def area_under_roc(scores: Doubles, positive: Flags) -> float | None:
    """Compute the chance that a positive's score is higher than a negative's; ties count one half.

    Args:
        scores: [N].
        positive: [N].

    Returns:
        0-1; None without positives or negatives.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    above = mean_ranks[place][positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def precision_over_recall(scores: Doubles, positive: Flags) -> float | None:
    """Compute the average precision of scores [N]; None without positives or negatives."""
    if positive.all() or not positive.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(positive[order])
    # A threshold cannot separate equal scores: only the last of each run is one.
    last = np.append(np.diff(scores[order]) != 0, True)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(hits[last], prepend=0)).sum() / positive.sum())


def _over_classes(
    name: str, predictions: Predictions, measure: Callable[[Doubles, Flags], float | None]
) -> float:
    probs, truth = checked(predictions)
    values = [measure(probs[:, i], truth[:, i] > 0.5) for i in range(probs.shape[1])]
    known = [value for value in values if value is not None]
    return _or_nan(name, predictions, float(np.mean(known)) if known else None)


def _or_nan(name: str, predictions: Predictions, value: float | None) -> float:
    if value is None:
        _warn_undefined(name, predictions.heads[0].name)
        return float("nan")
    return value


@functools.cache
def _warn_undefined(metric: str, head: str) -> None:
    """Warn once, and not after every epoch."""
    which = f" of head {head!r}" if head else ""
    logger.warning("%s%s: no class is true of some samples and false of others: NaN", metric, which)
