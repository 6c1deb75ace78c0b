"""From probabilities to counts: who is right, for how many samples, in each of some units.

Samples are gone through some at a time, so that a million of them need little more memory than
their probabilities.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.core.errors import DataError, NumericError
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Indices
from fivefold.evaluation.metrics import Doubles, Flags

_CELLS = 4_000_000  # probabilities looked at together
_ROOM = 1e-5  # how far rounding may take a probability above 1
TOP = (3, 5)


@dataclass(frozen=True, eq=False)
class Counted:
    """What there is to know of one head's answers, sample by sample.

    Attributes:
        predictions: Of one head.
        answers: Class that is answered [N]; of a sigmoid head whether each is [N, C].
        truth: Class that is true [N]; of a sigmoid head whether each is [N, C].
        means: Metrics that are a mean of one number for each sample [N]; without log loss and Brier
            score where the head gives no probabilities.
    """

    predictions: Predictions
    answers: AnyArray
    truth: AnyArray
    means: dict[str, AnyArray]

    @property
    def exclusive(self) -> bool:
        """Whether exactly one class is true of every sample."""
        return self.predictions.heads[0].activation != "sigmoid"

    @property
    def num_classes(self) -> int:
        """How many columns there are."""
        return self.predictions.heads[0].num_classes

    def positive(self, column: int) -> Flags:
        """Say of which samples a class is true [N]."""
        found: Flags = self.truth == column if self.exclusive else self.truth[:, column]
        return found


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts and sums over samples; the leading axes may be units, folds or resamples.

    Attributes:
        samples: How many [...].
        hits: Of which a class is true and answered [..., C].
        true: Of which it is true [..., C].
        answered: That are answered with it [..., C].
        sums: Of each of `Counted.means` [...].
    """

    samples: Doubles
    hits: Doubles
    true: Doubles
    answered: Doubles
    sums: dict[str, Doubles]

    @property
    def total(self) -> "Tally":
        """All units together."""
        return Tally(
            self.samples.sum(axis=0),
            self.hits.sum(axis=0),
            self.true.sum(axis=0),
            self.answered.sum(axis=0),
            {name: values.sum(axis=0) for name, values in self.sums.items()},
        )

    def weighted(self, weights: NDArray[np.float32]) -> "Tally":
        """Count units several times.

        Args:
            weights: How often each unit counts in each resample [R, units].
        """

        def times(values: Doubles) -> Doubles:
            # Single precision is exact for counts up to 16 million, and twice as fast.
            product: Doubles = (weights @ values.astype(np.float32)).astype(np.float64)
            return product

        return Tally(
            times(self.samples),
            times(self.hits),
            times(self.true),
            times(self.answered),
            {name: times(values) for name, values in self.sums.items()},
        )


def counted(predictions: Predictions, answers: AnyArray | None = None) -> Counted:
    """Look at every sample of one head.

    Args:
        predictions: With targets.
        answers: What is answered, where that is not the likeliest class, or each class above one
            half [N, C].

    Raises:
        DataError: If there are no samples or no targets, or a sample of a head of one answer has
            not exactly one true class or answer.
        NumericError: If a probability is NaN or infinite.
    """
    if not len(predictions):
        msg = "metrics: expected predictions for at least 1 sample, got 0"
        raise DataError(msg, slug="data/no-predictions")
    exclusive = predictions.heads[0].activation != "sigmoid"
    parts = [
        (_exclusive if exclusive else _any)(predictions, rows, answers)
        for rows in _parts(predictions)
    ]
    names = set(parts[0][2]).intersection(*(found for _, _, found in parts))
    return Counted(
        predictions,
        np.concatenate([found for found, _, _ in parts]),
        np.concatenate([true for _, true, _ in parts]),
        {n: np.concatenate([m[n] for _, _, m in parts]) for n in parts[0][2] if n in names},
    )


def tallied(counts: Counted, units: Indices, num_units: int) -> Tally:
    """Sum up samples by unit.

    Args:
        counts: N samples.
        units: Each sample's unit [N].
        num_units: How many there are.
    """
    classes = counts.num_classes

    def by_class(unit: Indices, column: Indices) -> Doubles:
        cells = np.bincount(unit * classes + column, minlength=num_units * classes)
        return cells.reshape(num_units, classes).astype(np.float64)

    if counts.exclusive:
        right = counts.answers == counts.truth
        hits = by_class(units[right], counts.truth[right])
        true, answered = by_class(units, counts.truth), by_class(units, counts.answers)
    else:
        hits, true, answered = (
            by_class(units[rows], columns)
            for rows, columns in map(
                np.nonzero, (counts.answers & counts.truth, counts.truth, counts.answers)
            )
        )
    sums = {
        name: np.bincount(units, values, minlength=num_units).astype(np.float64)
        for name, values in counts.means.items()
    }
    samples = np.bincount(units, minlength=num_units).astype(np.float64)
    return Tally(samples, hits, true, answered, sums)


def confusion_of(counts: Counted) -> Indices:
    """Count by truth and answer [C, C], or of a sigmoid head for each class [C, 2, 2]."""
    classes, samples = counts.num_classes, len(counts.predictions)
    if counts.exclusive:
        cells = np.bincount(counts.truth * classes + counts.answers, minlength=classes**2)
        return cells.reshape(classes, classes)
    hits = np.count_nonzero(counts.truth & counts.answers, axis=0)
    true = np.count_nonzero(counts.truth, axis=0)
    answered = np.count_nonzero(counts.answers, axis=0)
    cells = np.array([samples - true - answered + hits, answered - hits, true - hits, hits])
    return cells.T.reshape(classes, 2, 2)


def _parts(predictions: Predictions) -> Iterator[slice]:
    step = max(1, _CELLS // predictions.probs.shape[1])
    for start in range(0, len(predictions), step):
        yield slice(start, start + step)


def _exclusive(
    predictions: Predictions, rows: slice, answers: AnyArray | None
) -> tuple[AnyArray, AnyArray, dict[str, AnyArray]]:
    probs = _finite(predictions, rows)
    true = predictions.truth[rows] > 0.5
    truth = _the_one(predictions, rows, true, "true class")
    if answers is None:
        found = probs.argmax(axis=1)
    else:
        found = _the_one(predictions, rows, answers[rows] > 0.5, "answer")
    of_truth = probs[np.arange(len(probs)), truth]
    means: dict[str, AnyArray] = {"accuracy": found == truth}
    # Of equally probable classes the first count as the more probable, as for `accuracy`.
    before = np.arange(probs.shape[1]) < truth[:, None]
    equal = (probs == of_truth[:, None]) & before
    rank = np.count_nonzero(probs > of_truth[:, None], axis=1) + np.count_nonzero(equal, axis=1)
    means |= {f"top_{k}_accuracy": rank < k for k in TOP if k < probs.shape[1]}
    if _are_probabilities(probs):
        means |= _losses(probs, true, of_truth)
    return found, truth, means


def _losses(probs: AnyArray, true: Flags, of_truth: AnyArray) -> dict[str, AnyArray]:
    tiny = np.finfo(np.float64).eps
    clipped = probs.astype(np.float64).clip(tiny, 1)
    of_truth = of_truth.astype(np.float64).clip(tiny, 1)
    squares = ((probs - true.astype(np.float64)) ** 2).sum(axis=1)
    # As scikit-learn has it: of two classes half the sum, which is the square of one probability.
    half = 0.5 if probs.shape[1] == 2 else 1.0
    return {"log_loss": np.log(clipped.sum(axis=1)) - np.log(of_truth), "brier": half * squares}


def _any(
    predictions: Predictions, rows: slice, answers: AnyArray | None
) -> tuple[AnyArray, AnyArray, dict[str, AnyArray]]:
    probs = _finite(predictions, rows)
    true = predictions.truth[rows] > 0.5
    found = (probs if answers is None else answers[rows]) > 0.5
    wrong = found != true
    means: dict[str, AnyArray] = {
        "accuracy": 1 - wrong.mean(axis=1),
        "exact_match": ~wrong.any(axis=1),
        "hamming_loss": wrong.mean(axis=1),
    }
    if _are_probabilities(probs):
        tiny = np.finfo(np.float64).eps
        clipped = probs.astype(np.float64).clip(tiny, 1 - tiny)
        of_truth = np.where(true, np.log(clipped), np.log1p(-clipped))
        squares = (probs - true.astype(np.float64)) ** 2
        means |= {"log_loss": -of_truth.mean(axis=1), "brier": squares.mean(axis=1)}
    return found, true, means


def _finite(predictions: Predictions, rows: slice) -> AnyArray:
    probs = predictions.probs[rows]
    wrong = ~np.isfinite(probs).all(axis=1)
    if wrong.any():
        first = predictions.ids[rows.start + int(np.argmax(wrong))]
        msg = f"metrics: {first}: expected finite probabilities, got NaN or infinity"
        hint = "no number is honest where some are missing; predict these samples again"
        raise NumericError(msg, hint=hint, slug="numeric/predictions")
    return probs


def _are_probabilities(probs: AnyArray) -> bool:
    return bool(probs.min() >= -_ROOM and probs.max() <= 1 + _ROOM)


def _the_one(predictions: Predictions, rows: slice, flags: Flags, what: str) -> Indices:
    """Give the number of each sample's only class."""
    counts = np.count_nonzero(flags, axis=1)
    if (counts != 1).any():
        sample = int(np.argmax(counts != 1))
        msg = (
            f"metrics: {predictions.ids[rows.start + sample]}: expected exactly 1 {what}, "
            f"got {counts[sample]}"
        )
        raise DataError(msg, slug="data/not-single-label")
    found: Indices = flags.argmax(axis=1)
    return found
