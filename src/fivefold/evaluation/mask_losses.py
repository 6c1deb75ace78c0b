"""Losses of masks as metrics, by the names of what training minimises (`fivefold.losses`).

Each is the mean over images, as `val_loss` is. An image of which no pixel counts is in none of
them; in `val_loss`, as in training, it is one that lost nothing. Each comes from sums over an
image's pixels, so what needs more than those, such as `mse`, is no metric of masks.
"""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation.count_scores import divided
from fivefold.evaluation.mask_counts import check_measurable, is_exclusive
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.metrics import Doubles


@mask_metrics.add("crossentropy", "ce", best="min")
def log_loss(scores: MaskScores) -> float:
    """Minus the log-probability of the truth: the cross-entropy that fits the activation."""
    return _mean(scores, scores.log_losses)


@mask_metrics.add("bce", best="min", exclusive=False)
def binary_crossentropy(scores: MaskScores) -> float:
    """Mean of -t log p - (1 - t) log(1 - p) over pixels and classes; for those that may overlap."""
    return _cross_entropy(scores, "binary_crossentropy", exclusive=False)


@mask_metrics.add("sparse_categorical_crossentropy", best="min", exclusive=True)
def categorical_crossentropy(scores: MaskScores) -> float:
    """Mean of -log p of a pixel's class, classes excluding each other."""
    return _cross_entropy(scores, "categorical_crossentropy", exclusive=True)


@mask_metrics.add(best="min")
def dice_loss(scores: MaskScores) -> float:
    """1 - (2 sum t p + 1) / (sum t + sum p + 1) of each image and class."""
    both, total = scores.soft_hits, scores.true + scores.soft_said
    return _mean(scores, (1 - (2 * both + 1) / (total + 1)).mean(axis=1))


@mask_metrics.add(best="min")
def jaccard_loss(scores: MaskScores) -> float:
    """1 - (I + 1) / (U + 1) of each image and class: I is sum t p, U sum t + sum p - I."""
    both, total = scores.soft_hits, scores.true + scores.soft_said
    return _mean(scores, (1 - (both + 1) / (total - both + 1)).mean(axis=1))


@mask_metrics.add(best="min")
def iou_loss(scores: MaskScores) -> float:
    """Musket's -2 (sum t p + 1) / (sum t + sum p + 1), over all classes of each image."""
    both, total = scores.soft_hits.sum(axis=1), (scores.true + scores.soft_said).sum(axis=1)
    return _mean(scores, -2 * (both + 1) / (total + 1))


@mask_metrics.add(best="min")
def f1_loss(scores: MaskScores) -> float:
    """1 - 2 sum t p / (sum t + sum p), the mean over the classes that an image shows."""
    shown = scores.true > 0
    total = np.maximum(scores.true + scores.soft_said, 1e-7)
    lost = np.where(shown, 1 - 2 * scores.soft_hits / total, 0)
    return _mean(scores, lost.sum(axis=1) / np.maximum(shown.sum(axis=1), 1))


def _cross_entropy(scores: MaskScores, name: str, *, exclusive: bool) -> float:
    if is_exclusive(scores) is not exclusive:
        activation = scores.heads[0].activation
        msg = f"{name}: expected masks of another activation than {activation!r}"
        hint = "`log_loss` is the cross-entropy of any"
        raise DataError(msg, hint=hint, slug="data/mask-metric")
    return log_loss(scores)


def _mean(scores: MaskScores, values: Doubles) -> float:
    """Average over the images [N] of which a pixel counts; NaN without any."""
    check_measurable(scores)
    counts = scores.pixels > 0
    return float(divided(values[counts].sum(), counts.sum()))
