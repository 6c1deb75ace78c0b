"""Each class against the rest by its scores alone: ROC AUC, average precision, and their curves.

One sorting of each class's scores serves all of them, the folds and the intervals too.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from fivefold.core.cores import usable_cores
from fivefold.core.types import AnyArray, Indices
from fivefold.evaluation.counting import Counted
from fivefold.evaluation.estimates import Curve
from fivefold.evaluation.metrics import Doubles, Flags
from fivefold.evaluation.thinning import pr_curve, roc_curve

_TOGETHER = 16  # columns that are taken out together: what the processor reads at once
_MOST_THREADS = 4  # each holds some copies of a column


@dataclass(frozen=True, eq=False)
class Ranked:
    """How well one class's scores rank its samples above the others; NaN where undefined.

    Attributes:
        roc_auc: Area under the ROC curve, 0-1.
        average_precision: As scikit-learn has it, 0-1.
        of_folds: Both for each fold alone [2, F].
        pulls: For both how much each unit pulls them up: the sum over its samples of the derivative
            by the sample's weight [2, units].
        roc: The curve; None where undefined.
        pr: The curve; likewise.
    """

    roc_auc: float
    average_precision: float
    of_folds: Doubles
    pulls: Doubles
    roc: Curve | None
    pr: Curve | None


@dataclass(frozen=True, eq=False)
class Runs:
    """A class's samples by falling score; equal scores are one run, which no threshold can part.

    Attributes:
        hits: True samples up to the end of each run [T].
        ends: Samples up to there [T].
    """

    hits: Indices
    ends: Indices

    @classmethod
    def of(cls, scores: AnyArray, positive: Flags) -> "Runs":
        """Find the runs of scores that fall [N]."""
        last = np.append(scores[1:] != scores[:-1], True)
        ends = np.flatnonzero(last)
        return cls(np.cumsum(positive, dtype=np.int64)[ends], ends + 1)

    @property
    def is_mixed(self) -> bool:
        """Whether the class is true of some samples and not of all."""
        return bool(len(self.ends)) and 0 < self.hits[-1] < self.ends[-1]

    @property
    def roc_auc(self) -> float:
        """The area under the curve, whose pieces are trapezes."""
        if not self.is_mixed:
            return float("nan")
        false = self.ends - self.hits
        twice = (np.diff(false, prepend=0) * (self.hits + _before(self.hits))).sum()
        return float(twice / 2 / (float(self.hits[-1]) * float(false[-1])))

    @property
    def average_precision(self) -> float:
        """The sum of precision times the recall gained."""
        if not self.is_mixed:
            return float("nan")
        gained = np.diff(self.hits, prepend=0)
        return float((gained * (self.hits / self.ends)).sum() / self.hits[-1])

    def derivatives(self) -> tuple[Doubles, Doubles, Doubles, Doubles]:
        """Derive both numbers by the weight of a sample that lies in each run [T].

        Returns:
            ROC AUC by that of a true sample, and of a false one: how much of the others it is on
            the right side of (DeLong et al., 1988, https://doi.org/10.2307/2531595); average
            precision likewise, by the chain rule.
        """
        positives, false = float(self.hits[-1]), self.ends - self.hits
        negatives, area, ap = float(false[-1]), self.roc_auc, self.average_precision
        below = 1 - (false + _before(false)) / (2 * negatives)
        above = (self.hits + _before(self.hits)) / (2 * positives)
        gained, precision = np.diff(self.hits, prepend=0), self.hits / self.ends
        later = _from_the_end(gained / self.ends)
        lost = _from_the_end(gained * precision / self.ends)
        return (
            (below - area) / positives,
            (above - area) / negatives,
            (precision + later - lost - ap) / positives,
            -lost / positives,
        )


def rank_classes(
    counts: Counted, units: Indices, num_units: int, folds: Indices | None, num_folds: int
) -> list[Ranked]:
    """Rank each class's samples by its scores.

    Args:
        counts: N samples, C classes.
        units: Each sample's unit [N].
        num_units: How many there are.
        folds: Each sample's fold [N]; None for none.
        num_folds: How many there are.

    Returns:
        One for each class, in the order of the columns.
    """
    probs = counts.predictions.probs
    rank = partial(_rank, counts, units.astype(np.int32), num_units, folds, num_folds)
    starts = range(0, probs.shape[1], _TOGETHER)

    def of_columns(start: int) -> list[Ranked]:
        columns = np.ascontiguousarray(probs[:, start : start + _TOGETHER].T)
        return [rank(column, scores) for column, scores in enumerate(columns, start)]

    with ThreadPoolExecutor(min(usable_cores(), _MOST_THREADS)) as threads:
        return [found for part in threads.map(of_columns, starts) for found in part]


def _rank(
    counts: Counted,
    units: Indices,
    num_units: int,
    folds: Indices | None,
    num_folds: int,
    column: int,
    scores: AnyArray,
) -> Ranked:
    """Rank one class's samples by its scores [N]."""
    order = falling(scores)
    scores, positive = scores[order], counts.positive(column)[order]
    runs = Runs.of(scores, positive)
    of_folds = np.full((2, num_folds), np.nan)
    if folds is not None:
        ordered = folds[order]
        for fold, own in enumerate(_of_folds(scores, positive, ordered, num_folds)):
            of_folds[:, fold] = own.roc_auc, own.average_precision
    if not runs.is_mixed:
        return Ranked(np.nan, np.nan, of_folds, np.zeros((2, num_units)), None, None)
    at = scores[runs.ends - 1]
    return Ranked(
        runs.roc_auc,
        runs.average_precision,
        of_folds,
        _pulls(runs, positive, units[order], num_units),
        Curve(*roc_curve(runs.hits, runs.ends, at)),
        Curve(*pr_curve(runs.hits, runs.ends, at)),
    )


def _of_folds(scores: AnyArray, positive: Flags, folds: Indices, num_folds: int) -> Iterator[Runs]:
    # Numbers of 16 bits or fewer are sorted in one pass, and the scores keep their order.
    small = folds.astype(np.min_scalar_type(num_folds))
    order = np.argsort(small, kind="stable")
    stops = np.cumsum(np.bincount(folds, minlength=num_folds))
    for own in np.split(order, stops[:-1]):
        yield Runs.of(scores[own], positive[own])


def _pulls(runs: Runs, positive: Flags, units: Indices, num_units: int) -> Doubles:
    """Sum up derivatives by unit [2, units]."""
    lengths = np.diff(runs.ends, prepend=0)
    by_sample: Sequence[AnyArray] = runs.derivatives()
    if len(lengths) < len(units):
        by_sample = [np.repeat(values, lengths) for values in by_sample]
    of_true, of_false, ap_true, ap_false = by_sample
    return np.stack(
        [
            np.bincount(units, np.where(positive, of_true, of_false), num_units),
            np.bincount(units, np.where(positive, ap_true, ap_false), num_units),
        ]
    )


def falling(scores: AnyArray) -> Indices:
    """Order scores from the highest to the lowest [N]; equal ones keep their order.

    Single precision is sorted as whole numbers with the place behind them, a tenth of the time.
    """
    if scores.dtype != np.float32 or len(scores) >= 2**32:
        return np.argsort(-scores, kind="stable")
    bits = (scores + np.float32(0)).view(np.uint32)  # of -0 and 0 makes one
    sign = np.uint32(0x80000000)
    rising = np.where(bits & sign, ~bits, bits | sign)
    keys = (~rising).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(scores), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _before(values: AnyArray) -> AnyArray:
    return np.append(0, values[:-1])


def _from_the_end(values: Doubles) -> Doubles:
    return np.cumsum(values[::-1])[::-1]
