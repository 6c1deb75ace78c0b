"""Metrics of predictions: one definition for validation, reports and comparisons.

A metric is `def name(predictions) -> float`, on all samples at once and in double precision, for
predictions of one head. The fact `best` says which way is better: `max` or `min`. A softmax (or
linear) head answers with its highest probability; a sigmoid head with every class above one half.
"""

import functools
import logging
import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.core.catalog import Catalog, Component
from fivefold.core.errors import ConfigError, DataError, NumericError, Problem
from fivefold.core.predictions import Predictions

logger = logging.getLogger(__name__)

Doubles: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

_TOP_K = re.compile(r"top_([1-9][0-9]{0,5})_accuracy", re.ASCII)

_ROUNDING = 1e-5  # how far single precision may take a probability above 1

metrics: Catalog[float] = Catalog("metric")


@metrics.add("acc", "categorical_accuracy", "sparse_categorical_accuracy", best="max")
def accuracy(predictions: Predictions) -> float:
    """Share of samples whose class is right; of a sigmoid head, `binary_accuracy`."""
    if predictions.heads[0].activation == "sigmoid":
        return binary_accuracy(predictions)
    probs, truth = _checked(predictions)
    return float((probs.argmax(axis=1) == truth.argmax(axis=1)).mean())


@metrics.add(best="max")
def binary_accuracy(predictions: Predictions) -> float:
    """Share of single answers that are right: is the probability above one half, is it true?"""
    probs, truth = _checked(predictions)
    return float(((probs > 0.5) == (truth > 0.5)).mean())


@metrics.add(best="max")
def macro_f1(predictions: Predictions) -> float:
    """Mean of the classes' F1; a class that is neither true nor predicted anywhere counts 0."""
    probs, truth = _checked(predictions)
    answers = _answers(predictions, probs)
    actual = _answers(predictions, truth)
    hits = (answers & actual).sum(axis=0)
    total = answers.sum(axis=0) + actual.sum(axis=0)
    return float((2 * hits / np.maximum(total, 1)).mean())


@metrics.add("top_k", "sparse_top_k_categorical_accuracy", best="max")
def top_k_categorical_accuracy(predictions: Predictions, *, k: int = 5) -> float:
    """Share of samples with a true class among the 5 most probable; `top_3_accuracy`: of 3.

    Of equally probable classes the first count as the more probable, as they do for `accuracy`.
    """
    probs, truth = _checked(predictions)
    top = np.argsort(-probs, axis=1, kind="stable")[:, :k]
    return float((np.take_along_axis(truth, top, axis=1) > 0.5).any(axis=1).mean())


@metrics.add("roc_auc", best="max")
def auc(predictions: Predictions) -> float:
    """Mean over classes of the area under the ROC curve, each class against the rest.

    Classes that are true of no sample or of all have no curve and are left out; NaN, with one
    warning, when no class is left.
    """
    probs, truth = _checked(predictions)
    areas = [_area(probs[:, i], truth[:, i] > 0.5) for i in range(probs.shape[1])]
    known = [area for area in areas if area is not None]
    if not known:
        _warn_undefined("auc", predictions.heads[0].name)
        return float("nan")
    return float(np.mean(known))


@metrics.add(best="min")
def log_loss(predictions: Predictions) -> float:
    """Mean of minus the log-probability of the truth; of a sigmoid head, over all its answers."""
    probs, truth = _checked(predictions)
    if probs.min() < 0 or probs.max() > 1 + _ROUNDING:
        msg = f"log_loss: expected probabilities 0-1, got {probs.min():g} to {probs.max():g}"
        hint = "a head with activation `linear` gives none; choose another metric"
        raise DataError(msg, hint=hint, slug="data/not-probabilities")
    tiny = np.finfo(np.float64).eps
    if predictions.heads[0].activation == "sigmoid":
        probs = probs.clip(tiny, 1 - tiny)
        return float(-np.where(truth > 0.5, np.log(probs), np.log1p(-probs)).mean())
    probs = probs.clip(tiny, 1)
    probs /= probs.sum(axis=1, keepdims=True)
    return float(-np.log(probs[np.arange(len(probs)), truth.argmax(axis=1)]).mean())


def find_metric(name: str) -> Component[float] | None:
    """Look up a metric by name in any case; `top_<k>_accuracy` exists for every k."""
    match = _TOP_K.fullmatch(name.strip().casefold())
    if match is None:
        return metrics.find(name)
    make = functools.partial(top_k_categorical_accuracy, k=int(match[1]))
    return Component(match[0], make, facts={"best": "max"})


def is_known(name: str) -> bool:
    """Say whether there is a metric of this name."""
    return find_metric(name) is not None


def compute(
    predictions: Predictions, names: Sequence[str], *, prefix: str = ""
) -> dict[str, float]:
    """Compute metrics under the names that they were asked for.

    Args:
        predictions: With targets, for all samples that count.
        names: Metrics of the catalog, in any spelling.
        prefix: Put before each name, such as `val_`.

    Returns:
        Each name's value. Several heads each give `<head>_<name>`; the plain name is their mean.

    Raises:
        ConfigError: With every name that is no metric.
        DataError: If there are no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    unknown: list[Problem] = [metrics.unknown(name) for name in names if not is_known(name)]
    if unknown:
        raise ConfigError(unknown)
    values: dict[str, float] = {}
    for name in names:
        component = find_metric(name) or metrics.get(name)
        by_head = {part.heads[0].name: component.make(part) for part in predictions.by_head()}
        if len(by_head) > 1:
            values |= {f"{prefix}{head}_{name}": value for head, value in by_head.items()}
        values[f"{prefix}{name}"] = float(np.mean(list(by_head.values())))
    return values


def _checked(predictions: Predictions) -> tuple[Doubles, Doubles]:
    probs = predictions.probs.astype(np.float64)
    truth = predictions.truth.astype(np.float64)
    if len(predictions.heads) != 1:
        msg = f"metrics: expected 1 head, got {len(predictions.heads)}"
        raise DataError(msg, hint="`compute` takes any number", slug="data/several-heads")
    if not len(predictions):
        msg = "metrics: expected predictions for at least 1 sample, got 0"
        raise DataError(msg, slug="data/no-predictions")
    wrong = ~np.isfinite(probs).all(axis=1)
    if wrong.any():
        first = predictions.ids[int(np.argmax(wrong))]
        msg = f"metrics: {first}: expected finite probabilities, got NaN or infinity"
        hint = f"{wrong.sum()} of {len(predictions)} samples; try a lower learning rate"
        raise NumericError(msg, hint=hint, slug="numeric/predictions")
    return probs, truth


def _answers(predictions: Predictions, probs: Doubles) -> Flags:
    """Say which classes are answered, or true, for each sample [N, C]."""
    if predictions.heads[0].activation == "sigmoid":
        return probs > 0.5
    highest: Flags = probs.argmax(axis=1)[:, None] == np.arange(probs.shape[1])
    return highest


def _area(scores: Doubles, positive: Flags) -> float | None:
    """Chance that a positive's score is higher than a negative's; ties count one half."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    above = mean_ranks[place][positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


@functools.cache
def _warn_undefined(metric: str, head: str) -> None:
    """Warn once, and not after every epoch."""
    which = f" of head {head!r}" if head else ""
    logger.warning("%s%s: no class is true of some samples and false of others: NaN", metric, which)
