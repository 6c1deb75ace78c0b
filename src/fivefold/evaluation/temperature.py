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
"""Temperatures are between these: of nearly equal probabilities the best one may be 0."""

_SMALLEST = float(np.finfo(np.float32).tiny)
"""In place of a softmax probability of 0, which has no logarithm."""
_NEXT_TO_ONE = 2.0**-24
"""How near float32 comes to a probability of 1; a sigmoid is held as far from 0."""
_FLAT = 1e-12
_PRECISION = 1e-9
_STEPS = 200
_HALVINGS = 40
_CELLS = 1 << 21
"""Numbers worked on at once: they fit into a processor's cache."""


def fit_temperature(predictions: Predictions, start: float = 1.0) -> float:
    """Find the temperature with the smallest negative log-likelihood.

    Where all or nearly all answers are right, that has no minimum, or one at answers that are as
    good as certain. So no temperature below 1 makes answers surer in the mean than their number
    vouches for, `surest`; where they are surer as it is, it is 1.

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
    best = _most_likely(predictions, start)
    if best >= 1 or mean_confidence(predictions, best) <= surest(predictions):
        return best
    return _least_cold(predictions, best)


def surest(predictions: Predictions) -> float:
    """Say how sure answers may be in the mean if all of them are right: (n + 1) / (n + 2).

    Laplace's rule of succession: how probable the next answer is right after n that were. Of a
    sigmoid head each class of a sample is an answer.
    """
    count = _answers(predictions)
    return (count + 1) / (count + 2)


def mean_confidence(predictions: Predictions, temperature: float) -> float:
    """Say how sure the answers of one head are in the mean at a temperature, 0-1."""
    total, activation = 0.0, predictions.heads[0].activation
    for rows in _slices(predictions.probs.shape):
        logits = _logits(predictions.probs[rows], activation) / temperature
        if activation == "sigmoid":
            total += float(_sigmoid(np.abs(logits)).sum())
        else:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            total += float((1 / powers.sum(axis=1)).sum())
    return total / _answers(predictions)


def _least_cold(predictions: Predictions, coldest: float) -> float:
    """Find the temperature up to 1 at which answers are as sure as they may be, by halving."""
    limit = surest(predictions)
    low, high = coldest, 1.0
    if mean_confidence(predictions, high) >= limit:
        return high
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        if mean_confidence(predictions, middle) > limit:
            low = middle
        else:
            high = middle
    return high


def _most_likely(predictions: Predictions, start: float) -> float:
    """Minimize the negative log-likelihood.

    It is a convex function of the inverse temperature, so Newton's method, kept in what is left of
    the bounds, finds its one minimum.
    """
    ends = (1 / HOTTEST, 1 / COLDEST)
    low, high = ends
    beta, true_sum = 1 / start, _true_sum(predictions)
    for step in range(_STEPS):
        slope = _slope(predictions, beta, true_sum)
        if abs(slope.first) <= _FLAT and slope.second <= _FLAT:
            if step == 0:
                return 1.0 if start == 1 else _most_likely(predictions, 1.0)
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
