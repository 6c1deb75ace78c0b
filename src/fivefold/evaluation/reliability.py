"""Reliability: how often answers are right that are given with so much confidence.

Of a softmax head that is the highest probability and whether that class is true; of a sigmoid head
each single probability and whether its class is true.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.evaluation.metrics import Doubles, check_usable

BINS = 15
"""As in Guo et al., 2017, https://arxiv.org/abs/1706.04599."""

_ROWS = 1 << 16
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Bin:
    """Answers of about the same confidence.

    Attributes:
        low: Of their confidence, this or more, 0-1.
        high: Less than this; the last bin has it too.
        count: How many there are; with none the other numbers are NaN.
        confidence: Their mean confidence, 0-1.
        right: The share of them that is true, 0-1.
        interval: In which that share is with 95 % confidence (Wilson's).
    """

    low: float
    high: float
    count: int
    confidence: float
    right: float
    interval: tuple[float, float]


def reliability(predictions: Predictions, bins: int = BINS) -> tuple[Bin, ...]:
    """Sort answers into bins of equal width.

    Args:
        predictions: Of one head, with targets.
        bins: How many.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    check_usable(predictions)
    return _binned(predictions, np.linspace(0, 1, bins + 1))


def adaptive_reliability(predictions: Predictions, bins: int = BINS) -> tuple[Bin, ...]:
    """Sort answers into bins of as many each, equal confidences being in one; see `reliability`.

    Nguyen and O'Connor, 2015, https://arxiv.org/abs/1508.05154.
    """
    check_usable(predictions)
    ordered = np.sort(np.concatenate([sure for sure, _ in _answers(predictions, np.float32)]))
    starts = np.unique(ordered[np.arange(1, bins) * len(ordered) // bins])
    inner = starts[(starts > ordered[0]) & (starts < 1)].astype(np.float64)
    return _binned(predictions, np.concatenate([[0.0], inner, [1.0]]))


def calibration_error(bins: Sequence[Bin]) -> float:
    """Compute the expected calibration error, 0-1: the mean of |right - confidence| over answers.

    Naeini et al., 2015, https://doi.org/10.1609/aaai.v29i1.9602.
    """
    filled = [b for b in bins if b.count]
    return sum(b.count * abs(b.right - b.confidence) for b in filled) / sum(b.count for b in filled)


def share_interval(hits: float, count: float) -> tuple[float, float]:
    """Compute Wilson's 95 % interval of a share; NaN without any.

    Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    if not count:
        return (float("nan"), float("nan"))
    share, square = hits / count, _Z**2 / count
    center = (share + square / 2) / (1 + square)
    half = _Z / (1 + square) * np.sqrt(share * (1 - share) / count + square / (4 * count))
    # Rounding must not part an end from the share that it is equal to.
    low = 0.0 if hits == 0 else max(0.0, float(center - half))
    return (low, 1.0 if hits == count else min(1.0, float(center + half)))


def _binned(predictions: Predictions, edges: Doubles) -> tuple[Bin, ...]:
    num_bins = len(edges) - 1
    counts = np.zeros(num_bins, dtype=np.int64)
    hits, sums = np.zeros(num_bins), np.zeros(num_bins)
    for sure, right in _answers(predictions, np.float64):
        place = np.searchsorted(edges[1:-1], sure, side="right")
        counts += np.bincount(place, minlength=num_bins)
        hits += np.bincount(place, right, num_bins)
        sums += np.bincount(place, sure, num_bins)
    nan = float("nan")
    return tuple(
        Bin(
            low=float(edges[k]),
            high=float(edges[k + 1]),
            count=int(counts[k]),
            confidence=float(sums[k] / counts[k]) if counts[k] else nan,
            right=float(hits[k] / counts[k]) if counts[k] else nan,
            interval=share_interval(hits[k], counts[k]),
        )
        for k in range(num_bins)
    )


def _answers(predictions: Predictions, kind: type) -> Iterator[tuple[Doubles, Doubles]]:
    """Give confidences and whether they are right, 0 or 1, of some samples at a time."""
    is_sigmoid = predictions.heads[0].activation == "sigmoid"
    for start in range(0, len(predictions), _ROWS):
        probs = predictions.probs[start : start + _ROWS]
        truth = predictions.truth[start : start + _ROWS] > 0.5
        if not is_sigmoid:
            top = probs.argmax(axis=1)[:, None]
            probs = np.take_along_axis(probs, top, axis=1)
            truth = np.take_along_axis(truth, top, axis=1)
        yield probs.ravel().astype(kind), truth.ravel().astype(np.float64)
