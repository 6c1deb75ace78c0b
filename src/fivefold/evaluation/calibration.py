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
    mean_confidence,
    surest,
    with_temperature,
)

_NEAR = 1e-9


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
        temperature: Chosen on all of them.
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

    @property
    def verdict(self) -> str:
        """Say in a sentence what a temperature mends, by what was measured without each fold."""
        named = f"A temperature of {self.temperature:.2f}"
        if np.isnan(self.before.log_loss):
            return "This output says no probabilities: there is nothing for a temperature to mend."
        if self.after is None:
            return f"{named} fits best; whether it helps takes two folds to tell."
        losses = f"log loss ({self.before.log_loss:.4f} to {self.after.log_loss:.4f})"
        errors = f"calibration error ({self.before.error:.4f} to {self.after.error:.4f})"
        if not self.after.log_loss < self.before.log_loss:
            return f"{named} would not lower the {losses}, so none is applied; the {errors}."
        if self.after.error > self.before.error:
            return (
                f"{named} lowers the {losses}, but raises the {errors}: the two disagree on "
                "whether the model is too sure."
            )
        sure = "surer than it should be" if self.temperature > 1 else "less sure than it could be"
        return f"The model is {sure}. {named} lowers the {losses} and the {errors}."


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


def odd_temperature(predictions: Predictions, temperature: float) -> str:
    """Say what is odd about a temperature that was chosen on predictions; empty if nothing is."""
    if temperature <= COLDEST:
        return f"the best temperature would be below {COLDEST}: probabilities are nearly equal"
    if temperature >= HOTTEST:
        return f"the best temperature would be above {HOTTEST}: probabilities say next to nothing"
    limit = surest(predictions)
    if temperature <= 1 and mean_confidence(predictions, temperature) > limit - _NEAR:
        return (
            f"nearly every answer is right: their number vouches for a mean confidence of "
            f"{limit:.4f}, and no temperature makes them surer"
        )
    return ""


def log_losses(predictions: Predictions, folds: AnyArray, start: float) -> tuple[float, float]:
    """Compare the log loss before with that at temperatures of the other folds; see `cross_fitted`.

    Returns:
        Before and after.
    """
    after = cross_fitted(predictions, folds, start)
    return _log_loss(predictions), _log_loss(after)


def _log_loss(predictions: Predictions) -> float:
    """Take the mean over samples; of a sigmoid head, that is the mean over answers."""
    means = counted(predictions).means
    return float(means["log_loss"].mean()) if "log_loss" in means else float("nan")


def _of_head(predictions: Predictions, folds: AnyArray) -> HeadCalibration:
    temperature = fit_temperature(predictions)
    remark, after = odd_temperature(predictions, temperature), None
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
