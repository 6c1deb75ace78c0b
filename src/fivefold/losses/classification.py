"""Losses of logits: the cross-entropies; and the catalog of all losses.

A loss is `def name(logits, targets, *, options)`. It gives one number for each sample and class
[N, C], for each sample [N], or for the batch as a whole; training makes the mean small. Its facts:

- `inputs`: what it is shown: logits of a `softmax` or of a `sigmoid`, or `probabilities`. Without
  the fact it sees the logits of the head as they are.
- `gives`: `class` for [N, C], `sample` for [N]; without the fact, the batch's number. Class weights
  need to know.
- `min_classes`, `max_classes`: how many classes a head may have; without the facts, any number.
"""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fivefold.core.catalog import Catalog
from fivefold.core.errors import DataError
from fivefold.core.optional import late
from fivefold.losses.own import guarded

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any

losses: Catalog[Tensor] = Catalog("loss", ("logits", "targets"), guarded)

Smoothing = Annotated[float, Field(ge=0, lt=1)]


@losses.add(
    "cross_entropy",
    "crossentropy",
    "sparse_categorical_crossentropy",
    "ce",
    "CrossEntropyLoss",
    inputs="softmax",
    gives="sample",
    min_classes=2,
)
def categorical_crossentropy(
    logits: Tensor, targets: Tensor, *, label_smoothing: Smoothing = 0.0
) -> Tensor:
    """Minus the log-probability of the true class; for exactly one true class.

    The sum over classes of -t log p, p being the softmax.

    Args:
        logits: Before the softmax [N, C].
        targets: Probabilities in the same columns [N, C], 0-1.
        label_smoothing: How much of the truth is spread evenly over all classes
            (https://arxiv.org/abs/1512.00567, section 7).

    Returns:
        One number for each sample [N].

    Raises:
        DataError: If the shapes differ or are not [N, C].
    """
    logits, targets = aligned(logits, targets)
    return functional.cross_entropy(
        logits, targets, label_smoothing=label_smoothing, reduction="none"
    )


@losses.add(
    "binary_cross_entropy",
    "bce",
    "log_loss",
    "BCEWithLogitsLoss",
    inputs="sigmoid",
    gives="class",
)
def binary_crossentropy(
    logits: Tensor, targets: Tensor, *, label_smoothing: Smoothing = 0.0
) -> Tensor:
    """Cross-entropy of each class by itself, averaged; for any number of true classes.

    -t log p - (1 - t) log(1 - p), p being the sigmoid. Musket's `log_loss` is the same.

    Args:
        logits: Before the sigmoid [N, C].
        targets: Probabilities in the same columns [N, C], 0-1.
        label_smoothing: How far the truth moves towards one half.

    Returns:
        One number for each sample and class [N, C].

    Raises:
        DataError: If the shapes differ or are not [N, C].
    """
    logits, targets = aligned(logits, targets)
    smooth = targets * (1 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, smooth, reduction="none")


def aligned(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Check shapes, and raise what is below single precision to it: sums of logs need it.

    Args:
        logits: Logits or probabilities [N, C], N and C at least 1.
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
