"""Losses as metrics, by the names that Keras and Musket give them.

t is the truth and p the probability of each class. Each is the mean over samples of what the loss
of that name minimises, in double precision; see `fivefold.losses` for the sources.
"""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.evaluation.metrics import Doubles, checked, metrics

EPSILON = 1e-7
"""Keras's, which keeps logarithms and quotients finite."""

_ROUNDING = 1e-5  # how far single precision may take a probability above 1
_JACCARD_SMOOTH = 100.0


@metrics.add("crossentropy", "ce", best="min")
def log_loss(predictions: Predictions) -> float:
    """Mean of minus the log-probability of the truth; of a sigmoid head, over all its answers."""
    if predictions.heads[0].activation == "sigmoid":
        return _binary(*_probabilities(predictions, "log_loss"))
    return _categorical(*_probabilities(predictions, "log_loss"))


@metrics.add("bce", best="min")
def binary_crossentropy(predictions: Predictions) -> float:
    """Mean of -t log p - (1 - t) log(1 - p) over all answers."""
    return _binary(*_probabilities(predictions, "binary_crossentropy"))


@metrics.add("sparse_categorical_crossentropy", best="min")
def categorical_crossentropy(predictions: Predictions) -> float:
    """Mean of -log p of the true class, a sample's probabilities being made to add up to one."""
    return _categorical(*_probabilities(predictions, "categorical_crossentropy"))


@metrics.add("mse", best="min")
def mean_squared_error(predictions: Predictions) -> float:
    """Mean of (p - t)^2."""
    probs, truth = checked(predictions)
    return float(((probs - truth) ** 2).mean())


@metrics.add(best="min")
def l2_loss(predictions: Predictions) -> float:
    """Mean over samples of the sum over classes of (p - t)^2."""
    probs, truth = checked(predictions)
    return float(((probs - truth) ** 2).sum(axis=1).mean())


@metrics.add("mae", best="min")
def mean_absolute_error(predictions: Predictions) -> float:
    """Mean of |p - t|."""
    probs, truth = checked(predictions)
    return float(np.abs(probs - truth).mean())


@metrics.add("mape", best="min")
def mean_absolute_percentage_error(predictions: Predictions) -> float:
    """Mean of 100 |p - t| / max(|t|, 1e-7)."""
    probs, truth = checked(predictions)
    return float((100 * np.abs(probs - truth) / np.maximum(np.abs(truth), EPSILON)).mean())


@metrics.add("msle", best="min")
def mean_squared_logarithmic_error(predictions: Predictions) -> float:
    """Mean of (log(1 + p) - log(1 + t))^2."""
    probs, truth = (np.log1p(np.maximum(array, EPSILON)) for array in checked(predictions))
    return float(((probs - truth) ** 2).mean())


@metrics.add(best="min")
def hinge(predictions: Predictions) -> float:
    """Mean of max(1 - s p, 0), s being 1 where a class is true, else -1."""
    return float(_hinge(predictions).mean())


@metrics.add(best="min")
def squared_hinge(predictions: Predictions) -> float:
    """Mean of the square of `hinge`."""
    return float((_hinge(predictions) ** 2).mean())


@metrics.add(best="min")
def categorical_hinge(predictions: Predictions) -> float:
    """Mean of max(0, 1 + the highest p of a false class - the p of the true one)."""
    probs, truth = checked(predictions)
    positive, negative = (truth * probs).sum(axis=1), ((1 - truth) * probs).max(axis=1)
    return float(np.maximum(1 + negative - positive, 0).mean())


@metrics.add("log_cosh", best="min")
def logcosh(predictions: Predictions) -> float:
    """Mean of log cosh(p - t)."""
    probs, truth = checked(predictions)
    error = np.abs(probs - truth)
    return float((error + np.log1p(np.exp(-2 * error)) - np.log(2)).mean())


@metrics.add("huber_loss", best="min")
def huber(predictions: Predictions) -> float:
    """Mean of e^2 / 2 where e = |p - t| is at most 1, else e - 1 / 2."""
    probs, truth = checked(predictions)
    error = np.abs(probs - truth)
    return float(np.where(error <= 1, error**2 / 2, error - 0.5).mean())


@metrics.add("kld", "kullback_leibler_divergence", best="min")
def kl_divergence(predictions: Predictions) -> float:
    """Mean over samples of the sum over classes of t log(t / p), both held at 1e-7 or above."""
    probs, truth = (array.clip(EPSILON, 1) for array in checked(predictions))
    return float((truth * np.log(truth / probs)).sum(axis=1).mean())


@metrics.add(best="min")
def poisson(predictions: Predictions) -> float:
    """Mean of p - t log(p + 1e-7)."""
    probs, truth = _probabilities(predictions, "poisson")
    return float((probs - truth * np.log(probs + EPSILON)).mean())


@metrics.add("cosine", "cosine_proximity", best="min")
def cosine_similarity(predictions: Predictions) -> float:
    """Mean of minus the cosine of the angle between p and t: Keras's, -1 where they agree."""
    probs, truth = checked(predictions)
    lengths = np.linalg.norm(probs, axis=1) * np.linalg.norm(truth, axis=1)
    return float(-((probs * truth).sum(axis=1) / np.maximum(lengths, 1e-12)).mean())


@metrics.add("focal", best="min")
def focal_loss(predictions: Predictions) -> float:
    """Mean over samples of the sum over classes of the focal loss with gamma 2 and alpha 0.25."""
    probs, truth = _probabilities(predictions, "focal_loss")
    probs = _open(probs)
    true = 0.25 * (1 - probs) ** 2 * np.log(probs)
    false = 0.75 * probs**2 * np.log1p(-probs)
    return float(-(truth * true + (1 - truth) * false).sum(axis=1).mean())


@metrics.add(best="min")
def f1_loss(predictions: Predictions) -> float:
    """1 - the mean of the classes' soft F1, 2 sum t p / (sum t + sum p), over all samples."""
    probs, truth = checked(predictions)
    f1 = 2 * (truth * probs).sum(axis=0) / ((truth + probs).sum(axis=0) + EPSILON)
    return float(1 - f1.mean())


@metrics.add(best="min")
def dice_loss(predictions: Predictions) -> float:
    """Mean over samples of 1 - (2 sum t p + 1) / (sum t^2 + sum p^2 + 1)."""
    probs, truth = checked(predictions)
    squares = (truth**2 + probs**2).sum(axis=1)
    return float((1 - (2 * (truth * probs).sum(axis=1) + 1) / (squares + 1)).mean())


@metrics.add(best="min")
def jaccard_loss(predictions: Predictions) -> float:
    """Mean over samples of 100 (1 - (sum t p + 100) / (sum of t + p - t p, + 100))."""
    probs, truth = checked(predictions)
    both, total = (truth * probs).sum(axis=1), (truth + probs).sum(axis=1)
    smooth = _JACCARD_SMOOTH
    return float(((1 - (both + smooth) / (total - both + smooth)) * smooth).mean())


@metrics.add(best="min")
def iou_loss(predictions: Predictions) -> float:
    """Mean over samples of -2 (sum t p + 1) / (sum t + sum p + 1), as Musket has it."""
    probs, truth = checked(predictions)
    both, total = (truth * probs).sum(axis=1), (truth + probs).sum(axis=1)
    return float((-2 * (both + 1) / (total + 1)).mean())


def _probabilities(predictions: Predictions, name: str) -> tuple[Doubles, Doubles]:
    probs, truth = checked(predictions)
    if probs.min() < 0 or probs.max() > 1 + _ROUNDING:
        msg = f"{name}: expected probabilities 0-1, got {probs.min():g} to {probs.max():g}"
        hint = "a head with activation `linear` gives none; choose another metric"
        raise DataError(msg, hint=hint, slug="data/not-probabilities")
    return probs, truth


def _open(probs: Doubles) -> Doubles:
    """Keep away from 0 and 1, where logarithms end."""
    tiny = np.finfo(np.float64).eps
    return probs.clip(tiny, 1 - tiny)


def _binary(probs: Doubles, truth: Doubles) -> float:
    probs = _open(probs)
    return float(-(truth * np.log(probs) + (1 - truth) * np.log1p(-probs)).mean())


def _categorical(probs: Doubles, truth: Doubles) -> float:
    probs = probs.clip(np.finfo(np.float64).eps, 1)
    probs /= probs.sum(axis=1, keepdims=True)
    return float(-(truth * np.log(probs)).sum(axis=1).mean())


def _hinge(predictions: Predictions) -> Doubles:
    probs, truth = checked(predictions)
    return np.maximum(1 - (2 * truth - 1) * probs, 0)
