"""From features to logits."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from fivefold.core.types import Head

_LINE = 16  # numbers of 4 bytes in a cache line


class ClassifierHead(nn.Module):
    """Dropout and one linear layer whose columns are those of all heads, side by side.

    Args:
        num_features: Length D of a feature vector.
        heads: What the columns mean; each head's are a linear layer of its own in effect.
        dropout: Fraction of features set to zero while training, 0-1.
    """

    def __init__(self, num_features: int, heads: tuple[Head, ...], *, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, sum(head.num_classes for head in heads))

    def forward(self, features: Tensor) -> Tensor:
        """Turn features [N, D] into logits [N, all classes]."""
        logits: Tensor = self.linear(self.dropout(features))
        return logits

    def dropped(self, features: Tensor, generator: Generator) -> Tensor:
        """Set features [B, D] to zero as in training, drawn from a generator of the CPU.

        It draws what `nn.Dropout` draws of torch's own generator in the same state.
        """
        if not self.dropout.p:
            return features
        keep = 1 - self.dropout.p
        mask = torch.empty(features.shape).bernoulli_(keep, generator=generator).div_(keep)
        return features * mask.to(features.device)


def logits_together(heads: Sequence[ClassifierHead], features: Tensor) -> Tensor:
    """Turn the features of several heads into their logits, in one batched matrix product.

    Each head's logits and gradients have the same bits whatever heads are beside it.

    Args:
        heads: H of them, with the same numbers of features and classes.
        features: For each head its own [H, B, D]; dropout is the caller's.

    Returns:
        Logits [H, B, C].
    """
    rows, classes = features.shape[1], heads[0].linear.out_features
    weights = torch.stack([head.linear.weight for head in heads])
    biases = torch.stack([head.linear.bias for head in heads]).unsqueeze(1)
    # How a product is rounded depends on where its operands lie in memory, so each head's begin
    # where a cache line does.
    weights = functional.pad(weights, (0, 0, 0, -classes % _LINE))
    biases = functional.pad(biases, (0, -classes % _LINE))
    features = functional.pad(features, (0, 0, 0, -rows % _LINE))
    return torch.baddbmm(biases, features, weights.mT)[:, :rows, :classes]
