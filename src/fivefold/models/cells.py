"""Images as n x n cells, each seen by itself, and what becomes of the answers for them."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from fivefold.core.types import Head, head_slices


class Cells(NamedTuple):
    """How images are cut.

    Attributes:
        per_side: Cells along each side; 1: images are not cut.
        height: Of whole images in pixels, a multiple of `per_side`.
        width: The same.
    """

    per_side: int
    height: int
    width: int

    def are_in(self, images: Tensor) -> bool:
        """Say whether images [N, C, H, W] are whole ones that are to be cut."""
        return self.per_side > 1 and images.shape[2:] == (self.height, self.width)

    def cut(self, images: Tensor) -> Tensor:
        """Cut whole images [N, C, H, W] into cells [N * n * n, C, H / n, W / n], row by row."""
        n, (num, channels) = self.per_side, images.shape[:2]
        parts = images.reshape(num, channels, n, self.height // n, n, self.width // n)
        cells = parts.permute(0, 2, 4, 1, 3, 5)
        return cells.reshape(num * n * n, channels, self.height // n, self.width // n)

    def join(self, logits: Tensor, heads: tuple[Head, ...]) -> Tensor:
        """Join cells' logits [N * n * n, classes] to one row for each image [N, classes].

        They are the logits of the mean of the cells' probabilities, computed in the logarithms of
        these so that none is rounded to 0 or 1: `log(mean(p))` for softmax, `log(mean(p)) -
        log(mean(1 - p))` for sigmoid; a linear head's are the mean of its outputs.
        """
        all_cells = logits.float().reshape(-1, self.per_side**2, logits.shape[1])
        parts = []
        for head, columns in zip(heads, head_slices(heads), strict=True):
            own = all_cells[:, :, columns]
            if head.activation == "softmax":
                parts.append(own.log_softmax(dim=2).logsumexp(dim=1))
            elif head.activation == "sigmoid":
                parts.append(logsigmoid(own).logsumexp(dim=1) - logsigmoid(-own).logsumexp(dim=1))
            else:
                parts.append(own.clamp(0, 1).mean(dim=1))
        return torch.cat(parts, dim=1)

    def put_together(self, maps: Tensor) -> Tensor:
        """Lay cells' maps [N * n * n, K, H / n, W / n] where the cells were: [N, K, H, W]."""
        n, (_, channels, height, width) = self.per_side, maps.shape
        parts = maps.reshape(-1, n, n, channels, height, width)
        return parts.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, n * height, n * width)


WHOLE = Cells(1, 0, 0)
"""Images that are not cut."""
