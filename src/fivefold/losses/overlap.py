"""Losses of overlap: how far the predicted set of classes and the true one cover each other.

For images as a whole a sample's set is that of its classes, where segmentation has one of pixels.
Formulas are Musket's (`musket_core`, `losses.py`); of those with a cross-entropy, which it takes
over, those of segmentation_models 0.2 (`losses.py`).
"""

from typing import TYPE_CHECKING, Any

from fivefold.core.optional import late
from fivefold.losses.classification import aligned, binary_crossentropy, losses
from fivefold.losses.classification import categorical_crossentropy as cross_entropy

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    functional, Tensor = late("torch.nn.functional"), Any

_EPSILON = 1e-7
_JACCARD_SMOOTH = 100.0


@losses.add(inputs="probabilities", gives="sample")
def dice_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """Musket's: 1 - (2 sum t p + 1) / (sum t^2 + sum p^2 + 1), sums over a sample's classes."""
    probs, targets = aligned(probs, targets)
    squares = (targets**2).sum(dim=1) + (probs**2).sum(dim=1)
    return 1 - (2 * (targets * probs).sum(dim=1) + 1) / (squares + 1)


@losses.add(inputs="probabilities", gives="sample")
def jaccard_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """Musket's: 100 (1 - (I + 100) / (U + 100)), I and U over a sample's classes.

    I is the sum of t p, U the sum of t + p - t p.
    """
    probs, targets = aligned(probs, targets)
    return _jaccard(probs, targets, _JACCARD_SMOOTH) * _JACCARD_SMOOTH


@losses.add(inputs="probabilities", gives="sample")
def iou_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """Musket's: -2 (sum t p + 1) / (sum t + sum p + 1), sums over a sample's classes.

    It is no intersection over union but a smoothed Dice, in about -2 to 0.
    """
    probs, targets = aligned(probs, targets)
    return -2 * ((targets * probs).sum(dim=1) + 1) / ((targets + probs).sum(dim=1) + 1)


@losses.add(inputs="sigmoid", gives="sample")
def bce_dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean `binary_crossentropy` plus 1 - (2 sum t p + 1) / (sum t + sum p + 1)."""
    logits, targets = aligned(logits, targets)
    return binary_crossentropy(logits, targets).mean(dim=1) + _dice(logits.sigmoid(), targets)


@losses.add(inputs="sigmoid", gives="sample")
def bce_jaccard_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean `binary_crossentropy` plus 1 - (I + 1) / (U + 1); see `jaccard_loss`."""
    logits, targets = aligned(logits, targets)
    overlap = _jaccard(logits.sigmoid(), targets, 1.0)
    return binary_crossentropy(logits, targets).mean(dim=1) + overlap


@losses.add(inputs="softmax", gives="sample", min_classes=2)
def cce_dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """`categorical_crossentropy` plus 1 - (2 sum t p + 1) / (sum t + sum p + 1)."""
    logits, targets = aligned(logits, targets)
    return cross_entropy(logits, targets) + _dice(logits.softmax(dim=1), targets)


@losses.add(inputs="softmax", gives="sample", min_classes=2)
def cce_jaccard_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """`categorical_crossentropy` plus 1 - (I + 1) / (U + 1); see `jaccard_loss`."""
    logits, targets = aligned(logits, targets)
    return cross_entropy(logits, targets) + _jaccard(logits.softmax(dim=1), targets, 1.0)


@losses.add(inputs="probabilities")
def f1_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """1 - the mean of the classes' soft F1 in the batch.

    F1 is 2 TP / (2 TP + FP + FN), where TP is the sum over samples of t p, FP of (1 - t) p and FN
    of t (1 - p). A class that the batch lacks has an F1 of 0.

    Args:
        probs: [N, C].
        targets: Truth in the same columns [N, C], 0-1.

    Returns:
        A scalar: batches of other samples give another mean.
    """
    probs, targets = aligned(probs, targets)
    hits = (targets * probs).sum(dim=0)
    return 1 - (2 * hits / ((targets + probs).sum(dim=0) + _EPSILON)).mean()


@losses.add("lovasz", inputs="sigmoid", max_classes=1)
def lovasz_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary Lovász hinge over the batch: a bound of 1 - intersection over union of the one class.

    Errors 1 - s z, s being 1 where the class is true and -1 elsewhere, go through ELU as Musket has
    it, sorted from the largest, and are multiplied by how much each one lowers the intersection
    over union when it joins those before it.

    Args:
        logits: Before the sigmoid [N, 1].
        targets: Truth [N, 1], 0-1.

    Returns:
        A scalar. Segmentation takes it for each image; an image as a whole has one answer, so here
        it is taken over the batch.

    References:
        Berman et al., 2018, https://arxiv.org/abs/1705.08790
    """
    logits, targets = aligned(logits, targets)
    truth = targets.flatten()
    errors = 1 - (2 * truth - 1) * logits.flatten()
    errors, order = errors.sort(descending=True, stable=True)
    gradient = _lovasz_gradient(truth[order])
    return (functional.elu(errors) * gradient).sum()


def _lovasz_gradient(truth: Tensor) -> Tensor:
    """Give the Jaccard loss of the first 1, 2, … answers being wrong, minus that of one less."""
    intersection = truth.sum() - truth.cumsum(dim=0)
    union = truth.sum() + (1 - truth).cumsum(dim=0)
    jaccard = 1 - intersection / union
    return jaccard.diff(prepend=jaccard.new_zeros(1))


def _dice(probs: Tensor, targets: Tensor) -> Tensor:
    overlap = (targets * probs).sum(dim=1)
    return 1 - (2 * overlap + 1) / ((targets + probs).sum(dim=1) + 1)


def _jaccard(probs: Tensor, targets: Tensor, smooth: float) -> Tensor:
    overlap = (targets * probs).sum(dim=1)
    union = (targets + probs).sum(dim=1) - overlap
    return 1 - (overlap + smooth) / (union + smooth)
