"""Calibration: are answers right as often as their probabilities say, and what a temperature mends.

The numbers "after" are cross-fitted: each sample is measured at a temperature that was chosen
without its fold, so they are what new samples will see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray
from fivefold.evaluation.counting import counted
from fivefold.evaluation.metrics import check_usable
from fivefold.evaluation.reliability import (
    Bin,
    adaptive_reliability,
    calibration_error,
    reliability,
)
from fivefold.evaluation.temperature import (
    COLDEST,
    HOTTEST,
    fit_temperature,
    with_temperature,
)


@dataclass(frozen=True)
class Calibration:
    """How well probabilities say how often answers are right.

    Attributes:
        log_loss: Mean negative log-likelihood, at least 0, as `assess` has it; NaN of a head that
            gives no probabilities.
        error: Expected calibration error over 15 bins of equal width, 0-1.
        adaptive_error: The same over 15 bins of as many answers each.
        bins: The reliability diagram, in bins of equal width.
    """

    log_loss: float
    error: float
    adaptive_error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class HeadCalibration:
    """Calibration of one head.

    Attributes:
        head: Its name; empty for the only one.
        samples: How many.
        temperature: Chosen on all of them; above 1 the head was too sure, below 1 not enough.
        before: As the model says.
        after: At temperatures chosen without each sample's own fold; None where that cannot be.
        remark: What is odd about it, in a sentence; empty if nothing is.
    """

    head: str
    samples: int
    temperature: float
    before: Calibration
    after: Calibration | None
    remark: str = ""


@dataclass(frozen=True)
class CalibrationReport:
    """Calibration of all heads."""

    heads: tuple[HeadCalibration, ...]


def calibration_of(predictions: Predictions, folds: Sequence[int] | AnyArray) -> CalibrationReport:
    """Measure calibration before and after temperature scaling.

    Args:
        predictions: Out-of-fold, of any number of heads, with targets.
        folds: Of each sample, in the same order [N].

    Raises:
        DataError: If there are no samples or no targets, or not as many folds as samples.
        NumericError: If a probability is NaN or infinite.
    """
    numbers = np.asarray(folds)
    if len(numbers) != len(predictions):
        msg = f"folds: expected one for each of {len(predictions)} samples, got {len(numbers)}"
        raise DataError(msg, slug="data/no-predictions")
    return CalibrationReport(tuple(_of_head(part, numbers) for part in predictions.by_head()))


def calibration(predictions: Predictions) -> Calibration:
    """Measure the calibration of one head's probabilities.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    bins = reliability(predictions)
    return Calibration(
        log_loss=_log_loss(predictions),
        error=calibration_error(bins),
        adaptive_error=calibration_error(adaptive_reliability(predictions)),
        bins=bins,
    )


def cross_fitted(predictions: Predictions, folds: AnyArray, start: float = 1.0) -> Predictions:
    """Scale each fold by the temperature that is best for the others.

    Args:
        predictions: Of one head, with targets.
        folds: Of each sample [N], at least two different ones.
        start: A temperature near the ones to be found.
    """
    check_usable(predictions)
    probs = np.empty_like(predictions.probs)
    for fold in np.unique(folds):
        own = folds == fold
        others = predictions.take(np.flatnonzero(~own))
        temperature = fit_temperature(others, start)
        activation = predictions.heads[0].activation
        probs[own] = with_temperature(predictions.probs[own], activation, temperature)
    return replace(predictions, probs=probs)


def odd_temperature(temperature: float) -> str:
    """Say what is odd about a temperature; empty if nothing is."""
    if temperature <= COLDEST:
        return f"the best temperature would be below {COLDEST}: nearly every answer is right"
    if temperature >= HOTTEST:
        return f"the best temperature would be above {HOTTEST}: probabilities say next to nothing"
    return ""


def _log_loss(predictions: Predictions) -> float:
    """Take the mean over samples; of a sigmoid head, that is the mean over answers."""
    means = counted(predictions).means
    return float(means["log_loss"].mean()) if "log_loss" in means else float("nan")


def _of_head(predictions: Predictions, folds: AnyArray) -> HeadCalibration:
    temperature = fit_temperature(predictions)
    remark, after = odd_temperature(temperature), None
    if len(np.unique(folds)) > 1:
        after = calibration(cross_fitted(predictions, folds, temperature))
    else:
        remark = remark or "after: undefined: all samples are of one fold, and it needs two"
    return HeadCalibration(
        head=predictions.heads[0].name,
        samples=len(predictions),
        temperature=temperature,
        before=calibration(predictions),
        after=after,
        remark=remark,
    )
