"""From features to logits."""

from torch import Tensor, nn

from fivefold.core.types import Head


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
