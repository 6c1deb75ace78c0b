"""Losses of classifiers.

A loss is `def name(logits, targets, *, options) -> scalar`, the mean over the batch. The fact
`inputs` says what kind of logits it expects: those of a `softmax` or of a `sigmoid`.
"""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fivefold.core.catalog import Catalog
from fivefold.core.errors import DataError
from fivefold.core.optional import late

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any

losses: Catalog[Tensor] = Catalog("loss")

Smoothing = Annotated[float, Field(ge=0, lt=1)]


@losses.add(
    "cross_entropy",
    "crossentropy",
    "sparse_categorical_crossentropy",
    "ce",
    inputs="softmax",
)
def categorical_crossentropy(
    logits: Tensor, targets: Tensor, *, label_smoothing: Smoothing = 0.0
) -> Tensor:
    """Minus the log-probability of the true class; for exactly one true class.

    Args:
        logits: Before the softmax [N, C].
        targets: Probabilities in the same columns [N, C], 0-1.
        label_smoothing: How much of the truth is spread evenly over all classes.

    Raises:
        DataError: If the shapes differ or are not [N, C].
    """
    logits, targets = aligned(logits, targets)
    return functional.cross_entropy(logits, targets, label_smoothing=label_smoothing)


@losses.add("binary_cross_entropy", "bce", inputs="sigmoid")
def binary_crossentropy(
    logits: Tensor, targets: Tensor, *, label_smoothing: Smoothing = 0.0
) -> Tensor:
    """Cross-entropy of each class by itself, averaged; for any number of true classes.

    Args:
        logits: Before the sigmoid [N, C].
        targets: Probabilities in the same columns [N, C], 0-1.
        label_smoothing: How far the truth moves towards one half.

    Raises:
        DataError: If the shapes differ or are not [N, C].
    """
    logits, targets = aligned(logits, targets)
    smooth = targets * (1 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, smooth)


def aligned(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Check shapes, and raise what is below single precision to it: sums of logs need it.

    Args:
        logits: [N, C], N and C at least 1.
        targets: [N, C].

    Raises:
        DataError: If the shapes differ or are not [N, C].
    """
    if logits.ndim != 2 or logits.shape != targets.shape or not logits.numel():
        msg = (
            "loss: expected logits and targets of one shape [samples, classes], "
            f"got {list(logits.shape)} and {list(targets.shape)}"
        )
        raise DataError(msg, slug="data/loss-shape")
    precise = torch.promote_types(logits.dtype, torch.float32)
    return logits.to(precise), targets.to(precise)
