"""Temperature scaling: one number for each head that makes it as sure as it is right.

Guo et al., 2017, https://arxiv.org/abs/1706.04599. Logits are divided by the temperature. Of
probabilities they are the logarithms (softmax) or the log-odds (sigmoid), up to what a softmax
takes away, so that no network is needed. A softmax head's answer stays the same, and so does a
sigmoid's at one half; only how sure they are changes.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fivefold.core.predictions import Predictions
from fivefold.core.types import Activation, Floats
from fivefold.evaluation.metrics import Doubles, check_usable

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures are between these: where every answer is right, the best one would be 0."""

_SMALLEST = float(np.finfo(np.float32).tiny)
"""In place of a softmax probability of 0, which has no logarithm."""
_NEXT_TO_ONE = 2.0**-24
"""How near float32 comes to a probability of 1; a sigmoid is held as far from 0."""
_FLAT = 1e-12
_PRECISION = 1e-9
_STEPS = 200
_CELLS = 1 << 21
"""Numbers worked on at once: they fit into a processor's cache."""


def fit_temperature(predictions: Predictions, start: float = 1.0) -> float:
    """Find the temperature with the smallest negative log-likelihood.

    That is a convex function of the inverse temperature, so Newton's method, kept in what is left
    of the bounds, finds its one minimum.

    Args:
        predictions: Of one head, with targets.
        start: The temperature to begin with.

    Returns:
        From `COLDEST` to `HOTTEST`; 1 where all temperatures are as good, as for probabilities
        that are all equal.

    Raises:
        DataError: If there are several heads, no samples or no targets.
        NumericError: If a probability is NaN or infinite.
    """
    check_usable(predictions)
    ends = (1 / HOTTEST, 1 / COLDEST)
    low, high = ends
    beta, true_sum = 1 / start, _true_sum(predictions)
    for step in range(_STEPS):
        slope = _slope(predictions, beta, true_sum)
        if abs(slope.first) <= _FLAT and slope.second <= _FLAT:
            if step == 0:
                return 1.0 if start == 1 else fit_temperature(predictions)
            return COLDEST if slope.first <= 0 else HOTTEST
        low, high = (low, beta) if slope.first > 0 else (beta, high)
        if low == high:  # at a bound, and the minimum is beyond
            break
        following = beta - slope.first / max(slope.second, _FLAT)
        if not low < following < high:
            end = ends[0] if slope.first > 0 else ends[1]
            following = end if end in (low, high) and end != beta else float(np.sqrt(low * high))
        if abs(following - beta) <= _PRECISION * beta:
            break
        beta = following
    return float(1 / beta)


def with_temperature(probs: Floats, activation: Activation, temperature: float) -> Floats:
    """Divide the logits of probabilities by a temperature.

    Args:
        probs: Of one head [N, C].
        activation: Its own; `linear` is treated as `softmax`.
        temperature: Above 0; with 1 all stays as it is, bit by bit.

    Returns:
        Probabilities [N, C].
    """
    if temperature == 1:
        return probs
    cooled = np.empty_like(probs)
    for rows in _slices(probs.shape):
        logits = _logits(probs[rows], activation) / temperature
        if activation == "sigmoid":
            cooled[rows] = _sigmoid(logits)
        else:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            cooled[rows] = powers / powers.sum(axis=1, keepdims=True)
    return cooled


class _Slope(NamedTuple):
    """First and second derivative of the log-loss by the inverse temperature."""

    first: float
    second: float


def _slope(predictions: Predictions, beta: float, true_sum: float) -> _Slope:
    """Compute the slope; of the true classes' logits only their sum counts, whatever the slope."""
    first, second = -true_sum, 0.0
    for rows in _slices(predictions.probs.shape):
        logits = _logits(predictions.probs[rows], predictions.heads[0].activation)
        if _is_sigmoid(predictions):
            share = _sigmoid(beta * logits)
            first += float(np.einsum("nc,nc->", share, logits))
            second += float(np.einsum("nc,nc,nc->", share, 1 - share, logits**2))
            continue
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(beta * logits)
        total = powers.sum(axis=1)
        powers *= logits
        mean = powers.sum(axis=1) / total
        first += float(mean.sum())
        second += float((np.einsum("nc,nc->n", powers, logits) / total - mean**2).sum())
    count = _answers(predictions)
    return _Slope(first / count, second / count)


def _true_sum(predictions: Predictions) -> float:
    """Add up the logits of what is true; of a softmax head seen from each sample's highest one."""
    total = 0.0
    for logits, truth in _parts(predictions):
        own = logits if _is_sigmoid(predictions) else logits - logits.max(axis=1, keepdims=True)
        total += float(np.einsum("nc,nc->", own, truth))
    return total


def _parts(predictions: Predictions) -> Iterator[tuple[Doubles, Doubles]]:
    """Give logits and truth of some samples at a time, since all of them may be too many."""
    activation, probs, truth = predictions.heads[0].activation, predictions.probs, predictions.truth
    for rows in _slices(probs.shape):
        yield _logits(probs[rows], activation), (truth[rows] > 0.5).astype(np.float64)


def _slices(shape: tuple[int, ...]) -> Iterator[slice]:
    count = max(1, _CELLS // shape[1])
    return (slice(start, start + count) for start in range(0, shape[0], count))


def _logits(probs: Floats, activation: Activation) -> Doubles:
    exact = probs.astype(np.float64)
    if activation == "sigmoid":
        inside = exact.clip(_NEXT_TO_ONE, 1 - _NEXT_TO_ONE)
        logits: Doubles = np.log(inside) - np.log1p(-inside)
        return logits
    logarithms: Doubles = np.log(exact.clip(_SMALLEST, 1))
    return logarithms


def _sigmoid(logits: Doubles) -> Doubles:
    small = np.exp(-np.abs(logits))
    shares: Doubles = np.where(logits >= 0, 1, small) / (1 + small)
    return shares


def _is_sigmoid(predictions: Predictions) -> bool:
    return predictions.heads[0].activation == "sigmoid"


def _answers(predictions: Predictions) -> int:
    return predictions.probs.size if _is_sigmoid(predictions) else len(predictions)
