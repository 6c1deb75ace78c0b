"""Losses that count what is already right less: focal and asymmetric ones."""

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

Exponent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Threshold = Annotated[float, Field(gt=0, lt=1)]
Clip = Annotated[float, Field(ge=0, lt=1)]


@losses.add(
    "focal",
    "one_vs_rest_focal",
    "sigmoid_focal_loss",
    "FocalLossBinary",
    "FocalLossMultiClass",
    inputs="sigmoid",
    gives="class",
)
def focal_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: Exponent = 2.0,
    alpha: Share | None = 0.25,
    reduced_threshold: Threshold | None = None,
) -> Tensor:
    """Each class against the rest, certain answers counted less; summed over the classes.

    -a (1 - q)^gamma log q, q being the probability of the true answer (p, or 1 - p where the class
    is not true), and a being `alpha` where the class is true, 1 - `alpha` where not. It is Musket's
    `focal_loss` as a mean over samples instead of a sum, and Catalyst's one-vs-rest focal loss.

    Args:
        logits: Before the sigmoid [N, C].
        targets: Truth in the same columns [N, C], 0-1.
        gamma: How strongly certain answers are discounted; 0 leaves them alone.
        alpha: Weight of true classes, 0-1; null: all weigh 1.
        reduced_threshold: Where q is below it, nothing is discounted, and above it only by
            ((1 - q) / threshold)^gamma (https://arxiv.org/abs/1903.01347); Catalyst takes 0.5.

    Returns:
        One number for each sample and class [N, C]; their mean is that over samples of the sum
        over classes.

    References:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002
    """
    logits, targets = aligned(logits, targets)
    return logits.shape[1] * _focal(logits, targets, (gamma, alpha, reduced_threshold))


@losses.add(inputs="sigmoid", gives="class")
def binary_focal_crossentropy(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: Exponent = 2.0,
    alpha: Share | None = None,
) -> Tensor:
    """Keras's focal loss of each class by itself: `focal_loss` averaged over the classes.

    Args:
        logits: Before the sigmoid [N, C].
        targets: Truth in the same columns [N, C], 0-1.
        gamma: How strongly certain answers are discounted.
        alpha: Weight of true classes; null, as Keras has it by itself: all weigh 1.

    Returns:
        One number for each sample and class [N, C].

    References:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002
    """
    logits, targets = aligned(logits, targets)
    return _focal(logits, targets, (gamma, alpha, None))


@losses.add("softmax_focal_loss", inputs="softmax", gives="sample", min_classes=2)
def categorical_focal_crossentropy(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma: Exponent = 2.0,
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.25,
) -> Tensor:
    """Categorical cross-entropy that counts certain samples less, as Keras has it.

    The sum over classes of -alpha t (1 - p)^gamma log p, p being the softmax. With gamma 0 and
    alpha 1 this is `categorical_crossentropy`.

    Args:
        logits: Before the softmax [N, C].
        targets: Truth in the same columns [N, C], 0-1.
        gamma: How strongly certain samples are discounted.
        alpha: A factor of all classes.

    Returns:
        One number for each sample [N].

    References:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002
    """
    logits, targets = aligned(logits, targets)
    log_probs = functional.log_softmax(logits, dim=1)
    # 1 - p as a sum of the others' would lose digits, so it comes from the logarithm.
    doubt = -log_probs.expm1()
    return -(alpha * targets * _power(doubt, gamma) * log_probs).sum(dim=1)


@losses.add("asl", "AsymmetricLoss", inputs="sigmoid", gives="class")
def asymmetric_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    gamma_neg: Exponent = 4.0,
    gamma_pos: Exponent = 1.0,
    clip: Clip = 0.05,
) -> Tensor:
    """For many classes of which few are true: easy negatives count little, or nothing.

    -(1 - p)^gamma_pos log p where the class is true; -m^gamma_neg log(1 - m) where it is not, m
    being max(p - clip, 0). Summed over the classes.

    Args:
        logits: Before the sigmoid [N, C].
        targets: Truth in the same columns [N, C], 0-1.
        gamma_neg: How strongly certain negatives are discounted.
        gamma_pos: How strongly certain positives are discounted.
        clip: Negatives below this probability do not count at all.

    Returns:
        One number for each sample and class [N, C]; their mean is that over samples of the sum
        over classes.

    References:
        Ridnik et al., 2021, https://arxiv.org/abs/2009.14119
    """
    logits, targets = aligned(logits, targets)
    probs, rest = logits.sigmoid(), (-logits).sigmoid()
    positive = _power(rest, gamma_pos) * functional.logsigmoid(logits)
    # 1 - m from 1 - p: where p rounds to 1, a small clip would leave log(0).
    log_rest = (rest + clip).clamp(max=1).log() if clip else functional.logsigmoid(-logits)
    negative = _power((probs - clip).clamp(min=0), gamma_neg) * log_rest
    return -logits.shape[1] * (targets * positive + (1 - targets) * negative)


def _focal(
    logits: Tensor, targets: Tensor, options: tuple[float, float | None, float | None]
) -> Tensor:
    """Compute the focal loss of each answer [N, C]; options are gamma, alpha, threshold."""
    gamma, alpha, threshold = options
    true = _discount(-logits, gamma, threshold) * functional.logsigmoid(logits)
    false = _discount(logits, gamma, threshold) * functional.logsigmoid(-logits)
    weight = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    return -(weight[0] * targets * true + weight[1] * (1 - targets) * false)


def _discount(against: Tensor, gamma: float, threshold: float | None) -> Tensor:
    """Say how much an answer counts; `against` are the logits of its being wrong."""
    doubt = against.sigmoid()
    if threshold is None:
        return _power(doubt, gamma)
    reduced = _power(doubt / threshold, gamma)
    return torch.where(doubt > 1 - threshold, 1.0, reduced)


def _power(base: Tensor, exponent: float) -> Tensor:
    """Raise [0, 1] to a power; the gradient at 0 stays finite for exponents below 1."""
    if exponent >= 1 or exponent == 0:
        return base**exponent
    return base.clamp(min=1e-12) ** exponent
