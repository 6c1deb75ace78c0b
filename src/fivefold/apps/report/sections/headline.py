"""The top of the page: the verdict in one sentence, and the figures below it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fivefold.apps.report.analysis import Analysis, Headline, assessed_name
from fivefold.apps.report.facts import duration
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.section import Material
from fivefold.apps.report.texts import metric_name
from fivefold.apps.report.weakest import weakest_class, weakest_mask
from fivefold.engine.examples import mistake_confidence
from fivefold.evaluation.assessment import Assessment, Estimate
from fivefold.evaluation.mask_weak_points import weak_points

_ACCURACY = "accuracy"
_SAME = 1e-3  # of a number that is rounded in one place and not in another


def values(material: Material) -> dict[str, Any]:
    """Give what the page's top shows."""
    found, wrong, weakest = material.found, None, ""
    if material.heads and found.predictions is not None:
        wrong = int((mistake_confidence(found.predictions) > 0).sum())
        assessment = material.analysis.assessment
        weakest = "" if assessment is None else weakest_class(found.predictions, assessment)
    masks = material.analysis.masks
    if masks is not None:
        weakest = " ".join(filter(None, (*weak_points(masks), weakest_mask(masks))))
    return {
        "verdict": _verdict(found, material.analysis),
        "outputs": _outputs(found.primary_metric, material.analysis.assessment),
        "weakest": weakest,
        "wrong": wrong,
        "classes": " + ".join(str(part.heads[0].num_classes) for part in material.heads),
        "masks": masks,
        "duration": duration(found.manifest),
    }


def _verdict(found: Gathered, analysis: Analysis) -> str:
    """Say the outcome in one sentence."""
    if not found.stages:
        return "Nothing has been measured yet."
    count = len(_measured(found))
    folds = f"over {count} folds" if count > 1 else "in one fold"
    folds += " so far" if found.so_far else ""
    spread = _of(found.stages[-1], found.primary_metric)
    if spread is None:
        return f"Measured {folds}; the primary metric is not known."
    metric = metric_name(found.primary_metric.removeprefix("val_"))
    deviation = f" ± {spread['std']:.3f}" if count > 1 else ""
    sentence = f"{metric[:1].upper()}{metric[1:]} {spread['mean']:.3f}{deviation} {folds}"
    tables = (
        ("out-of-fold", found.oof, analysis.assessment, analysis.headlines),
        ("holdout", found.holdout, analysis.holdout, analysis.of_holdout),
    )
    name_there = assessed_name(found.primary_metric, masks=analysis.masks is not None)
    for name, table, assessment, headlines in tables:
        value = _of(table, found.primary_metric)
        if value is not None:
            sentence += f"; {name} {value:.3f}{_interval(value, name_there, headlines)}"
            sentence += _mean_of(value, found.primary_metric, assessment)
    return f"{sentence}{_accuracy_beside(found)}."


def _interval(value: float, metric: str, headlines: Sequence[tuple[str, Headline]]) -> str:
    """Write the interval of a metric, if what was assessed is the same number."""
    if len(headlines) != 1:
        return ""
    estimate = headlines[0][1].get(metric)
    if estimate is None or math.isnan(estimate.low) or abs(estimate.value - value) > _SAME:
        return ""
    return f" (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"


def _mean_of(value: float, metric: str, assessment: Assessment | None) -> str:
    """Say that a number is the mean of several outputs, if it is."""
    if assessment is None or len(assessment.heads) < 2:
        return ""
    values = [found.value for _, found in _deciding(metric, assessment)]
    is_mean = len(values) == len(assessment.heads) and abs(np.mean(values) - value) <= _SAME
    return f", the mean of {len(values)} outputs" if is_mean else ""


def _outputs(metric: str, assessment: Assessment | None) -> list[tuple[str, str]]:
    """Give the number that decides, with its interval, of each of several outputs."""
    if assessment is None or len(assessment.heads) < 2:
        return []
    told, name = [], metric_name(assessed_name(metric))
    for head, found in _deciding(metric, assessment):
        ends = (found.low, found.high)
        interval = "" if math.isnan(ends[0]) else f" (95 % interval {ends[0]:.3f} to {ends[1]:.3f})"
        value = f"{found.value:.3f}" if found.is_defined else "undefined"
        told.append((head, f"{name} {value}{interval}"))
    return told


def _deciding(metric: str, assessment: Assessment) -> list[tuple[str, Estimate]]:
    """Find the outputs that have the number that decides."""
    name = assessed_name(metric)
    return [(one.name, one.headline[name]) for one in assessment.heads if name in one.headline]


def _of(table: Mapping[str, Any], metric: str) -> Any:
    """Look up a metric that one file may call `val_accuracy` and another `accuracy`."""
    bare = metric.removeprefix("val_")
    return next((table[name] for name in (metric, f"val_{bare}", bare) if name in table), None)


def _accuracy_beside(found: Gathered) -> str:
    """Say the accuracy too where something else decides, which tells people less."""
    measured = _of(found.stages[-1], _ACCURACY)
    if found.primary_metric.removeprefix("val_") != "loss" or measured is None:
        return ""
    return f"; {_ACCURACY} {measured['mean']:.3f}"


def _measured(found: Gathered) -> set[int]:
    """Say which folds the last stage's numbers are of."""
    if not found.so_far and found.folds:
        return set(found.folds)
    last = max((stage for _, stage in found.histories), default=0)
    return {fold for (fold, stage), rows in found.histories.items() if stage == last and rows}
