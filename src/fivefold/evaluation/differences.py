"""How far two experiments are apart, and whether that could be chance.

*Over folds.* Folds share most of what their models are trained on, so that their numbers are no
independent ones and an ordinary t-test finds differences where there are none. Nadeau & Bengio
(2003, Inference for the Generalization Error, https://doi.org/10.1023/A:1024068626366) put
`1/J + n_test/n_train` in the place of `1/J` in the variance of the mean over J folds; for K-fold
cross-validation n_test/n_train is 1/(K-1), as in Bouckaert & Frank (2004,
https://doi.org/10.1007/978-3-540-24775-3_3).

*Over samples.* Two models answer the same samples; only those about which one is right and the
other wrong tell them apart (McNemar, 1947, https://doi.org/10.1007/BF02295996). Where each sample
has a number, such as the IoU of a mask, it is the paired t-test (Student, 1908,
https://doi.org/10.1093/biomet/6.1.1).

*Of many comparisons* some seem to differ by chance; p values are adjusted as Holm has it (1979,
A Simple Sequentially Rejective Multiple Test Procedure, https://www.jstor.org/stable/4615733).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.seeding import generator_for
from fivefold.evaluation.intervals import LEVEL, bound_of_all_alike
from fivefold.evaluation.metrics import Doubles, Flags
from fivefold.evaluation.student import quantile, within

_ALIKE = 1e-12  # a spread that is this small beside the numbers is rounding
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Difference:
    """One experiment less another.

    Attributes:
        mean: The difference; NaN where it is undefined.
        low: Lower end of its 95 % interval; NaN where there is none.
        high: Upper end.
        p_value: How often chance alone gives at least such a difference, 0-1; NaN where unknown.
        why: Why something is undefined; empty where nothing is.
    """

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    why: str = ""

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)

    @property
    def is_distinguishable(self) -> bool:
        """Whether there is an interval, and 0 is not in it."""
        return self.has_interval and not self.low <= 0 <= self.high


def paired_over_folds(
    first: Sequence[float], second: Sequence[float], num_folds: int
) -> Difference:
    """Compare two experiments on the same folds.

    Args:
        first: One number for each measured fold.
        second: The other's, for the same folds.
        num_folds: Into how many folds the data were divided.
    """
    apart = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    why = _undefined(apart, num_folds)
    if why:
        return Difference(why=why)
    mean, spread = float(apart.mean()), _spread(apart, first, second)
    if len(apart) < 2:
        return Difference(mean, why="one fold has no spread")
    if spread == 0 and mean == 0:
        return Difference(mean, why="both have the same numbers in every fold")
    if spread == 0:
        return Difference(mean, why="all folds differ by the same, so their spread tells nothing")
    variance = (1 / len(apart) + 1 / (num_folds - 1)) * spread
    return _by_student(mean, variance, len(apart) - 1)


def unpaired_over_folds(
    first: Sequence[float], second: Sequence[float], num_folds: tuple[int, int]
) -> Difference:
    """Compare two experiments on other folds of the same data.

    Each variance is corrected by itself, and the degrees of freedom are those of Welch (1947,
    https://doi.org/10.2307/2332510), rounded down. That the data are the same is not used, so the
    interval is rather too wide.

    Args:
        first: One number for each measured fold.
        second: The other's.
        num_folds: Into how many folds each has divided the data.
    """
    both = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    parts, degrees = [], []
    for values, count in zip(both, num_folds, strict=True):
        why = _undefined(values, count)
        if why:
            return Difference(why=why)
        if len(values) > 1:
            parts.append((1 / len(values) + 1 / (count - 1)) * _spread(values, values, values))
            degrees.append(len(values) - 1)
    mean = float(both[0].mean() - both[1].mean())
    if len(parts) < 2:
        return Difference(mean, why="one fold has no spread")
    if sum(parts) == 0:
        return Difference(mean, why="all folds are alike, so their spread tells nothing")
    share = sum(part**2 / df for part, df in zip(parts, degrees, strict=True))
    return _by_student(mean, sum(parts), max(1, math.floor(sum(parts) ** 2 / share + _ALIKE)))


def paired_over_samples(first: Flags, second: Flags, seed: int = 0) -> Difference:
    """Compare the shares of samples that two models are right about.

    The interval is that of a bootstrap over samples in pairs, 10,000 draws; where one model alone
    is right about every sample, all draws are alike, and it is Clopper and Pearson's. The p value
    is McNemar's exact one.

    Args:
        first: Whether one model is right about each sample [N].
        second: The other, about the same samples.
        seed: Of the draws.
    """
    only_first = int((first & ~second).sum())
    only_second = int((second & ~first).sum())
    count = len(first)
    if not count:
        return Difference(why="there are no samples")
    mean = (only_first - only_second) / count
    if not only_first + only_second:
        return Difference(mean, p_value=1.0, why="both are right about the same samples")
    if abs(mean) == 1:
        least = 2 * bound_of_all_alike(1, count)[0] - 1
        ends = (least, 1.0) if mean == 1 else (-1.0, -least)
        return Difference(mean, *ends, _mcnemar(only_first, only_second))
    shares = np.array([only_first, only_second, count - only_first - only_second]) / count
    drawn = generator_for(seed, "paired").multinomial(count, shares, _RESAMPLES)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / count, tails)
    return Difference(mean, float(low), float(high), _mcnemar(only_first, only_second))


def paired_numbers_over_samples(first: Doubles, second: Doubles) -> Difference:
    """Compare the means of a number that two models have for each sample, by Student's t in pairs.

    Args:
        first: Of one model, for each sample [N].
        second: Of the other, for the same samples.
    """
    apart = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not len(apart):
        return Difference(why="there are no samples")
    mean, spread = float(apart.mean()), _spread(apart, first, second)
    if spread == 0:
        told = "one sample has no spread" if len(apart) < 2 else "all samples differ by the same"
        return Difference(mean, why=told)
    return _by_student(mean, spread / len(apart), len(apart) - 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for being several; NaN is left alone and counts for none."""
    order = sorted(
        (i for i, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__
    )
    adjusted, highest = list(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def _undefined(values: Doubles, num_folds: int) -> str:
    if not len(values):
        return "no folds are measured"
    if not np.isfinite(values).all():
        return "the number of a fold is NaN or infinite"
    return "" if num_folds > 1 or len(values) == 1 else "expected several folds"


def _spread(values: Doubles, *sources: Sequence[float] | Doubles) -> float:
    """Compute the variance, 0 where only rounding tells the values apart."""
    if len(values) < 2 or np.ptp(values) <= _ALIKE * max(
        np.abs(source).max() for source in sources
    ):
        return 0.0
    return float(values.var(ddof=1))


def _by_student(mean: float, variance: float, degrees: int) -> Difference:
    error = math.sqrt(variance)
    reach = quantile(LEVEL, degrees) * error
    return Difference(mean, mean - reach, mean + reach, 1 - within(mean / error, degrees))


def _mcnemar(one: int, other: int) -> float:
    """Give the exact two-sided p value of so many disagreements, by the binomial of 1/2."""
    count, fewer = one + other, min(one, other)
    k = np.arange(1, fewer + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((count - k + 1) / k))]) - count * math.log(2)
    return min(1.0, 2 * float(np.exp(logs).sum()))
