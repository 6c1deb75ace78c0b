"""From features to logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from fivefold.core.types import Head
from fivefold.models.activations import ACTIVATIONS

_LINE = 16  # numbers of 4 bytes in a cache line


@dataclass(frozen=True)
class Hidden:
    """The layers of a head between the features and its last layer.

    Attributes:
        layers: In order; a whole number is a linear layer of so many units and what follows it, a
            number below 1 a dropout of that fraction.
        activation: What follows each linear layer: a name of `activations.ACTIVATIONS`.
        batchnorm: Whether BatchNorm stands between a linear layer and its activation.
    """

    layers: tuple[float, ...] = ()
    activation: str = "relu"
    batchnorm: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of the linear layers."""
        return tuple(int(layer) for layer in self.layers if layer >= 1)


NO_LAYERS = Hidden()
"""A head that is one linear layer."""


class AttentionPool(nn.Module):
    """The mean over all positions, each weighted by how much it matters.

    A position's weight is the sigmoid of one linear function of its features, which is learned.

    Args:
        num_features: Length D of the features of a position.

    References:
        Catalyst's `GlobalAttnPool2d`, which sums: the mean does not grow with the image.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.score = nn.Linear(num_features, 1, bias=False)

    def forward(self, positions: Tensor) -> Tensor:
        """Turn features of positions [N, D, P] into features [N, D]."""
        weights = self.score(positions.mT).sigmoid()
        pooled: Tensor = (positions @ weights).squeeze(2) / weights.sum(dim=1)
        return pooled


class AnyHead(nn.Module):
    """What turns a backbone's features into logits.

    Args:
        heads: What the classes mean.

    Attributes:
        prior_shift: What is added to the logits where it does not train, for classes that training
            saw more or less of than there are [all classes]. The bundle has it, not the weights.
    """

    prior_shift: Tensor

    def __init__(self, heads: tuple[Head, ...]) -> None:
        super().__init__()
        self.heads = heads
        num_classes = sum(head.num_classes for head in heads)
        self.register_buffer("prior_shift", torch.zeros(num_classes), persistent=False)
        self._shifted = False

    def shift_by(self, shift: Sequence[float]) -> None:
        """Set what is added to logits outside of training; nothing is added of an empty one."""
        values = list(shift) or [0.0] * len(self.prior_shift)
        self.prior_shift.copy_(torch.tensor(values))
        self._shifted = any(values)

    @property
    def steps(self) -> list[nn.Module]:
        """The layers that feature vectors go through, in order; none where there are maps."""
        return []

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Numbers in and out of the linear layers, in order."""
        linear = (step for step in self.steps if isinstance(step, nn.Linear))
        return tuple((step.in_features, step.out_features) for step in linear)


class ClassifierHead(AnyHead):
    """Dropout, hidden layers, and one linear layer whose columns are those of all heads.

    Args:
        num_features: Length D of a feature vector.
        heads: What the columns mean; each head's are a linear layer of its own in effect.
        dropout: Fraction of features set to zero while training, 0-1.
        hidden: The layers before the last one; all heads share them.
        pools: Whether it gets the features of every position, and pools them itself.
    """

    def __init__(
        self,
        num_features: int,
        heads: tuple[Head, ...],
        *,
        dropout: float = 0.0,
        hidden: Hidden = NO_LAYERS,
        pools: bool = False,
    ) -> None:
        super().__init__(heads)
        self.pool = AttentionPool(num_features) if pools else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Sequential(*_hidden_layers(num_features, hidden))
        width = (num_features, *hidden.sizes)[-1]
        num_classes = sum(head.num_classes for head in heads)
        self.linear = nn.Linear(width, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Turn features [N, D], or [N, D, P] where it pools, into logits [N, all classes]."""
        logits: Tensor = self.linear(self.hidden(self.dropout(self.pool(features))))
        return logits + self.prior_shift if self._shifted and not self.training else logits

    @property
    def steps(self) -> list[nn.Module]:
        """The layers in the order in which pooled features go through them."""
        return [self.dropout, *self.hidden, self.linear]


def _hidden_layers(num_features: int, hidden: Hidden) -> list[nn.Module]:
    layers: list[nn.Module] = []
    width = num_features
    for entry in hidden.layers:
        if entry < 1:
            layers.append(nn.Dropout(entry))
            continue
        # BatchNorm would take a bias out again: it would drift on what rounding leaves.
        layers.append(nn.Linear(width, width := int(entry), bias=not hidden.batchnorm))
        if hidden.batchnorm:
            layers.append(nn.BatchNorm1d(width))
        layers.append(getattr(nn, ACTIVATIONS[hidden.activation.casefold()])())
    return layers


def dropped(layer: nn.Dropout, features: Tensor, generator: Generator) -> Tensor:
    """Set features [B, D] to zero as a layer does in training, drawn from a generator of the CPU.

    It draws what `nn.Dropout` draws of torch's own generator in the same state.
    """
    if not layer.p:
        return features
    keep = 1 - layer.p
    mask = torch.empty(features.shape).bernoulli_(keep, generator=generator).div_(keep)
    return features * mask.to(features.device)


def logits_together(
    heads: Sequence[AnyHead],
    features: Sequence[Tensor],
    generators: Sequence[Generator],
    rows: int,
) -> list[Tensor]:
    """Turn the features of several heads into their logits, as in training.

    Linear layers are one batched matrix product. Each head's logits and gradients have the same
    bits whatever heads are beside it.

    Args:
        heads: H of them, with the same layers of the same sizes.
        features: For each head its own [B, D]; B may differ.
        generators: For each head what its dropouts are drawn from.
        rows: At least the largest B; the bits depend on it.

    Returns:
        For each head its logits [B, C].
    """
    parts = list(features)
    for same in zip(*(head.steps for head in heads), strict=True):
        if isinstance(same[0], nn.Linear):
            parts = _linear_together(same, parts, rows)
        elif isinstance(same[0], nn.Dropout):
            parts = [dropped(*each) for each in zip(same, parts, generators, strict=True)]
        else:
            # One by one, since where a number lies among others can decide how it is rounded, and
            # since BatchNorm may see no rows but the head's own.
            parts = [step(part) for step, part in zip(same, parts, strict=True)]
    return parts


def _linear_together(
    layers: Sequence[nn.Linear], parts: Sequence[Tensor], rows: int
) -> list[Tensor]:
    classes = layers[0].out_features
    # How a product is rounded depends on where its operands lie in memory and on how threads share
    # it, so each head's begin where a cache line does and are whole lines long. What is added is
    # zero and has no part in a gradient.
    weights = _padded(torch.stack([layer.weight for layer in layers]), classes)
    biases = torch.stack([_bias(layer) for layer in layers]).unsqueeze(1)
    biases = functional.pad(biases, (0, -classes % _LINE))
    alike = len({len(part) for part in parts}) == 1
    blocks = (
        _padded(torch.stack([*parts]), rows)
        if alike
        else torch.stack([_padded(part, rows) for part in parts])
    )
    made = torch.baddbmm(biases, blocks, weights.mT)
    return [own[: len(part), :classes] for own, part in zip(made, parts, strict=True)]


def _bias(layer: nn.Linear) -> Tensor:
    # In torch's types a layer always has a bias; it has none that was built without.
    bias: Tensor | None = layer.bias
    return layer.weight.new_zeros(layer.out_features) if bias is None else bias


def _padded(values: Tensor, height: int) -> Tensor:
    """Add zeros to values [..., h, w] until both sides are whole lines, of at least a height."""
    below = height + -height % _LINE - values.shape[-2]
    return functional.pad(values, (0, -values.shape[-1] % _LINE, 0, below))
