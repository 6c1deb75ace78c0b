"""Metrics of overlap: do the classes above a threshold cover the true ones?

They come from segmentation, where they ask it of pixels. For an image as a whole a sample's set is
that of its classes. Definitions are Musket's (`musket_core`, `metrics.py`), that of `iou_score`
segmentation_models 0.2's.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.evaluation.metrics import Doubles, Flags, checked, metrics

Rule: TypeAlias = Literal["zero", "one", "skip"]
Measure: TypeAlias = Callable[[Doubles, Doubles], Doubles]
"""From how many classes are in both sets and how many in each, added up, to scores."""

_TINY, _TINIER = 1e-6, 1e-10
_THRESHOLDS = np.arange(100) / 100


@metrics.add(best="max")
def dice(predictions: Predictions) -> float:
    """2 |both| / (|true| + |predicted|) over all answers above one half; 0 if both are empty."""
    both, total = _sizes(*_sets(predictions), axes=(0, 1))
    return float(2 * both / (total + _TINIER))


@metrics.add("iou_coef", "iot", "iot_coef", best="max")
def iou(predictions: Predictions) -> float:
    """Intersection over union of all answers above one half; 1 if both are empty.

    It is what the name says, in training too, where Musket's `iou` is a smoothed Dice of up to 2.
    """
    both, total = _sizes(*_sets(predictions), axes=(0, 1))
    return float((both + _TINY) / (total - both + _TINY))


@metrics.add("jaccard_score", "macro_iou", best="max")
def iou_score(predictions: Predictions) -> float:
    """Mean of the classes' intersection over union of answers above one half; 0 without any."""
    both, total = _sizes(*_sets(predictions), axes=(0,))
    union = total - both
    return float(np.where(union > 0, both / np.where(union > 0, union, 1), 0.0).mean())


def _dice_of(both: Doubles, total: Doubles) -> Doubles:
    return 2 * both / (total + _TINY)


def _iou_of(both: Doubles, total: Doubles) -> Doubles:
    return (both + _TINY) / (total - both + _TINY)


def _map10_of(both: Doubles, total: Doubles) -> Doubles:
    """Count which of the thresholds 0.5, 0.55, … 0.95 the intersection over union is above."""
    return np.asarray(np.ceil(np.clip(20 * (_iou_of(both, total) - 0.5), 0, 10)) / 10)


MEASURES: Mapping[str, Measure] = {"dice": _dice_of, "iou": _iou_of, "map10": _map10_of}
_MEANINGS: Mapping[str, str] = {
    "dice": "Mean of the samples' 2 |both| / (|true| + |predicted|)",
    "iou": "Mean of the samples' intersection over union",
    "map10": "Mean of the samples' share of thresholds 0.5, 0.55, … that their overlap passes",
}
_RULES: Mapping[Rule, str] = {
    "zero": "counts 0",
    "one": "counts 1",
    "skip": "is left out (NaN if all are)",
}


def _over_samples(predictions: Predictions, *, measure: str, rule: Rule) -> float:
    probs, truth = checked(predictions)
    return _at(probs, truth > 0.5, 0.5, (measure, rule))


def _at(probs: Doubles, truth: Flags, threshold: float, asked: tuple[str, Rule]) -> float:
    """Measure what is above a threshold."""
    measure, rule = asked
    both, total = _sizes(probs > threshold, truth, axes=(1,))
    scores, empty = MEASURES[measure](both, total), total == 0
    if rule == "skip":
        return float(scores[~empty].mean()) if not empty.all() else math.nan
    return float(np.where(empty, float(rule == "one"), scores).mean())


def _searched(predictions: Predictions, *, measure: str, rule: Rule) -> tuple[float, float]:
    """Find the best value and its threshold; of equal ones the lowest."""
    probs, truth = checked(predictions)
    values = [_at(probs, truth > 0.5, t, (measure, rule)) for t in _THRESHOLDS]
    if np.isnan(values).all():
        return math.nan, math.nan
    best = int(np.nanargmax(values))
    return values[best], float(_THRESHOLDS[best])


def _register(measure: str, rule: Rule) -> None:
    """Add Musket's two final metrics of one measure and one rule for empty samples."""
    meaning = f"{_MEANINGS[measure]}; a sample without true and predicted classes {_RULES[rule]}"

    def plain(predictions: Predictions) -> float:
        return _over_samples(predictions, measure=measure, rule=rule)

    def searched(predictions: Predictions) -> float:
        return _searched(predictions, measure=measure, rule=rule)[0]

    def threshold(predictions: Predictions) -> float:
        return _searched(predictions, measure=measure, rule=rule)[1]

    plain.__doc__ = f"{meaning}."
    searched.__doc__ = f"{meaning}; at the best threshold of 0, 0.01, … 0.99, which is told beside."
    name = f"true_negative_is_{rule}"
    metrics.add(name=f"{measure}_{name}", best="max")(plain)
    searching = f"{measure}_with_custom_treshold_{name}"
    metrics.add(name=searching, best="max", threshold=threshold)(searched)


for _measure in MEASURES:
    for _rule in _RULES:
        _register(_measure, _rule)


def _sets(predictions: Predictions) -> tuple[Flags, Flags]:
    probs, truth = checked(predictions)
    return probs > 0.5, truth > 0.5


def _sizes(found: Flags, truth: Flags, axes: tuple[int, ...]) -> tuple[Doubles, Doubles]:
    """Count what is in both sets, and what is in each, added up."""
    both = (found & truth).sum(axis=axes, dtype=np.float64)
    return both, found.sum(axis=axes, dtype=np.float64) + truth.sum(axis=axes, dtype=np.float64)
