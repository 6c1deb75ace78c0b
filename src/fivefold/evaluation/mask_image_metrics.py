"""Musket's final metrics of masks, image by image, with a rule for images without objects."""

import math

import numpy as np

from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation.mask_counts import check_measurable
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.overlap import MEASURES, Rule

_MEANINGS = {
    "dice": "Mean over images of 2 H / (S + T)",
    "iou": "Mean over images of H / (S + T - H)",
    "map10": "Mean over images of the share of 0.5, 0.55, … 0.95 that their overlap is above",
}
_RULES: dict[Rule, str] = {
    "zero": "an image that neither shows a class nor is said to counts 0 for it",
    "one": "an image that neither shows a class nor is said to counts 1 for it",
    "skip": "an image that neither shows a class nor is said to is left out of its mean",
}


def _over_images(scores: MaskScores, measure: str, rule: Rule) -> float:
    check_measurable(scores)
    counts = scores.take(np.flatnonzero(scores.pixels > 0))
    total = (counts.true + counts.said).astype(np.float64)
    values = MEASURES[measure](counts.hits.astype(np.float64), total)
    if rule != "skip":
        values = np.where(total > 0, values, float(rule == "one"))
        return float(values.mean()) if values.size else math.nan
    known = (total > 0).sum(axis=0)
    sums = np.where(total > 0, values, 0).sum(axis=0)
    return float((sums[known > 0] / known[known > 0]).mean()) if known.any() else math.nan


def _register(measure: str, rule: Rule) -> None:
    def metric(scores: MaskScores) -> float:
        return _over_images(scores, measure, rule)

    metric.__doc__ = f"{_MEANINGS[measure]}, then over classes; {_RULES[rule]}."
    mask_metrics.add(name=f"{measure}_true_negative_is_{rule}", best="max")(metric)


for _measure in _MEANINGS:
    for _rule in _RULES:
        _register(_measure, _rule)
