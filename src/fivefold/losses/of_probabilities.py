"""Keras's losses of probabilities, which look at what a head answers after its activation.

t is the truth and p the probability of each class; formulas as in Keras 2 (`keras/losses.py`), with
its epsilon of 1e-7.
"""

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fivefold.core.optional import late
from fivefold.losses.classification import aligned, losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:  # a config is checked without them
    torch, functional, Tensor = late("torch"), late("torch.nn.functional"), Any

EPSILON = 1e-7
_LOG_2 = math.log(2)


@losses.add("mse", "MSELoss", inputs="probabilities", gives="class")
def mean_squared_error(probs: Tensor, targets: Tensor) -> Tensor:
    """(p - t)^2, averaged over the classes."""
    probs, targets = aligned(probs, targets)
    return (probs - targets) ** 2


@losses.add(inputs="probabilities", gives="class")
def l2_loss(probs: Tensor, targets: Tensor) -> Tensor:
    """(p - t)^2, summed over the classes; Musket sums over the batch too."""
    return probs.shape[-1] * mean_squared_error(probs, targets)


@losses.add("mae", "L1Loss", inputs="probabilities", gives="class")
def mean_absolute_error(probs: Tensor, targets: Tensor) -> Tensor:
    """|p - t|, averaged over the classes."""
    probs, targets = aligned(probs, targets)
    return (probs - targets).abs()


@losses.add("mape", inputs="probabilities", gives="class")
def mean_absolute_percentage_error(probs: Tensor, targets: Tensor) -> Tensor:
    """100 |p - t| / max(|t|, 1e-7), averaged over the classes; huge where a class is not true."""
    probs, targets = aligned(probs, targets)
    return 100 * (probs - targets).abs() / targets.abs().clamp(min=EPSILON)


@losses.add("msle", inputs="probabilities", gives="class")
def mean_squared_logarithmic_error(probs: Tensor, targets: Tensor) -> Tensor:
    """(log(1 + p) - log(1 + t))^2, averaged over the classes."""
    probs, targets = aligned(probs, targets)
    return (probs.clamp(min=EPSILON).log1p() - targets.clamp(min=EPSILON).log1p()) ** 2


@losses.add(inputs="probabilities", gives="class")
def hinge(probs: Tensor, targets: Tensor) -> Tensor:
    """max(1 - s p, 0), averaged over the classes; s is 1 where a class is true, else -1."""
    probs, targets = aligned(probs, targets)
    return (1 - (2 * targets - 1) * probs).clamp(min=0)


@losses.add(inputs="probabilities", gives="class")
def squared_hinge(probs: Tensor, targets: Tensor) -> Tensor:
    """The square of `hinge`, averaged over the classes."""
    return hinge(probs, targets) ** 2


@losses.add(inputs="probabilities", gives="sample")
def categorical_hinge(probs: Tensor, targets: Tensor) -> Tensor:
    """max(0, 1 + the highest p of a false class - the p of the true one)."""
    probs, targets = aligned(probs, targets)
    positive = (targets * probs).sum(dim=1)
    negative = ((1 - targets) * probs).max(dim=1).values
    return (1 + negative - positive).clamp(min=0)


@losses.add("log_cosh", inputs="probabilities", gives="class")
def logcosh(probs: Tensor, targets: Tensor) -> Tensor:
    """The logarithm of cosh(p - t), averaged over the classes."""
    probs, targets = aligned(probs, targets)
    error = probs - targets
    return error + functional.softplus(-2 * error) - _LOG_2


@losses.add("huber_loss", "HuberLoss", inputs="probabilities", gives="class")
def huber(
    probs: Tensor, targets: Tensor, *, delta: Annotated[float, Field(gt=0, le=1000)] = 1.0
) -> Tensor:
    """Half the squared error up to `delta`, straight beyond it, averaged over the classes.

    e^2 / 2 where e = |p - t| is at most delta, else delta (e - delta / 2)
    (Huber, 1964, https://doi.org/10.1214/aoms/1177703732).

    Args:
        probs: [N, C].
        targets: Truth in the same columns [N, C], 0-1.
        delta: Where the parabola ends.
    """
    probs, targets = aligned(probs, targets)
    return functional.huber_loss(probs, targets, reduction="none", delta=delta)


@losses.add("kld", "kullback_leibler_divergence", inputs="probabilities", gives="sample")
def kl_divergence(probs: Tensor, targets: Tensor) -> Tensor:
    """The sum over classes of t log(t / p), both held at 1e-7 or above."""
    probs, targets = aligned(probs, targets)
    truth = targets.clamp(EPSILON, 1)
    return (truth * (truth.log() - probs.clamp(EPSILON, 1).log())).sum(dim=1)


@losses.add(inputs="probabilities", gives="class")
def poisson(probs: Tensor, targets: Tensor) -> Tensor:
    """The expression p - t log(p + 1e-7), averaged over the classes."""
    probs, targets = aligned(probs, targets)
    return probs - targets * (probs + EPSILON).log()


@losses.add("cosine", "cosine_proximity", inputs="probabilities", gives="sample", min_classes=2)
def cosine_similarity(probs: Tensor, targets: Tensor) -> Tensor:
    """Minus the cosine of the angle between p and t, -1 where they agree."""
    probs, targets = aligned(probs, targets)
    return -(functional.normalize(probs, dim=1) * functional.normalize(targets, dim=1)).sum(dim=1)
