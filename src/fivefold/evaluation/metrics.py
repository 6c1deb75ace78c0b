"""Metrics of predictions: one definition for validation, reports and comparisons.

A metric is `def name(predictions) -> float`, on all samples at once and in double precision, for
predictions of one head. The fact `best` says which way is better: `max` or `min`. A metric that
searches for a threshold has a fact `threshold`, a function that tells it: `compute` gives it under
Musket's spelling, `<name>_treshold`.

A softmax (or linear) head answers with its highest probability; a sigmoid head with every class
above one half. Metrics that Musket defines at a threshold, such as `dice`, ask of every probability
whether it is above one half, whatever the head. Definitions are Keras's (`keras/metrics.py`).
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.core.catalog import Catalog, Component
from fivefold.core.errors import ConfigError, DataError, NumericError, Problem
from fivefold.core.predictions import Predictions
from fivefold.evaluation.own import guarded

Doubles: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

_TOP_K = re.compile(r"top_([1-9][0-9]{0,5})_accuracy", re.ASCII)

metrics: Catalog[float] = Catalog("metric", ("predictions",), guarded)

_OF_TEXT = "it measures labels of the words of a text"
REFUSED: Mapping[str, str] = {
    "lovasz_loss": "it is only defined for logits; write `iou`, which it stands for in training",
    "crf_accuracy": _OF_TEXT,
    "crf_loss": _OF_TEXT,
    "crf_marginal_accuracy": _OF_TEXT,
    "crf_viterbi_accuracy": _OF_TEXT,
}
"""Musket's names that measure nothing here, and why."""


@metrics.add("acc", "categorical_accuracy", "sparse_categorical_accuracy", best="max")
def accuracy(predictions: Predictions) -> float:
    """Share of samples whose class is right; of a sigmoid head, `binary_accuracy`."""
    if predictions.heads[0].activation == "sigmoid":
        return binary_accuracy(predictions)
    probs, truth = checked(predictions)
    return float((probs.argmax(axis=1) == truth.argmax(axis=1)).mean())


@metrics.add(best="max")
def binary_accuracy(predictions: Predictions) -> float:
    """Share of single answers that are right: is the probability above one half, is it true?"""
    probs, truth = checked(predictions)
    return float(((probs > 0.5) == (truth > 0.5)).mean())


@metrics.add("top_k", "sparse_top_k_categorical_accuracy", best="max")
def top_k_categorical_accuracy(predictions: Predictions, *, k: int = 5) -> float:
    """Share of samples with a true class among the 5 most probable; `top_3_accuracy`: of 3.

    Of equally probable classes the first count as the more probable, as they do for `accuracy`.
    """
    probs, truth = checked(predictions)
    top = np.argsort(-probs, axis=1, kind="stable")[:, :k]
    return float((np.take_along_axis(truth, top, axis=1) > 0.5).any(axis=1).mean())


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
        Each name's value, and what belongs beside it. Several heads each give `<head>_<name>`; the
        plain name is their mean.

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
        values |= _of_heads(predictions, component.make, (prefix, name))
        threshold = component.facts.get("threshold")
        if threshold:
            values |= _of_heads(predictions, threshold, (prefix, f"{name}_treshold"))
    return values


def _of_heads(
    predictions: Predictions, measure: Callable[[Predictions], float], spelled: tuple[str, str]
) -> dict[str, float]:
    """Measure each head, and give the mean under the plain name."""
    by_head = {part.heads[0].name: measure(part) for part in predictions.by_head()}
    prefix, name = spelled
    named = {f"{prefix}{head}_{name}": value for head, value in by_head.items()}
    mean = float(np.mean(list(by_head.values())))
    return {**(named if len(by_head) > 1 else {}), f"{prefix}{name}": mean}


def checked(predictions: Predictions) -> tuple[Doubles, Doubles]:
    """Give probabilities and truth [N, C] in double precision; see `check_usable`."""
    check_usable(predictions)
    return predictions.probs.astype(np.float64), predictions.truth.astype(np.float64)


def check_usable(predictions: Predictions) -> None:
    """Make sure that something can be measured of predictions.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    if len(predictions.heads) != 1:
        msg = f"metrics: expected 1 head, got {len(predictions.heads)}"
        raise DataError(msg, hint="`compute` takes any number", slug="data/several-heads")
    if not len(predictions.truth):
        msg = "metrics: expected predictions for at least 1 sample, got 0"
        raise DataError(msg, slug="data/no-predictions")
    wrong = ~np.isfinite(predictions.probs).all(axis=1)
    if wrong.any():
        first = predictions.ids[int(np.argmax(wrong))]
        msg = f"metrics: {first}: expected finite probabilities, got NaN or infinity"
        hint = f"{wrong.sum()} of {len(predictions)} samples; try a lower learning rate"
        raise NumericError(msg, hint=hint, slug="numeric/predictions")


def answers_of(predictions: Predictions, probs: Doubles) -> Flags:
    """Say which classes are answered, or true, for each sample [N, C].

    Args:
        predictions: Whose head it is.
        probs: Probabilities or truth in its columns [N, C].
    """
    if predictions.heads[0].activation == "sigmoid":
        return probs > 0.5
    highest: Flags = probs.argmax(axis=1)[:, None] == np.arange(probs.shape[1])
    return highest
