"""A batch of masks as losses see it: pixels with their logits and their truth.

Little is moved in memory: logits [B, K, H, W] that lie with their classes side by side, as those of
nets in channels-last order do, are looked at as they lie, and so are others. Only those of few
classes that exclude each other are laid out class by class first, which is the faster way.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.optional import late
from fivefold.core.types import Head
from fivefold.losses.weights import HeadWeights

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:  # a config is checked without it
    torch, Tensor = late("torch"), Any


_MANY = 16
"""From so many classes on, torch's softmax is the faster where a pixel's lie side by side."""


class Overlap(NamedTuple):
    """What probabilities and truth have in common, summed over the pixels of each image [B, K]."""

    both: Tensor
    said: Tensor
    true: Tensor


class MaskPixels:
    """The pixels of B images, N each, with K classes. What terms of a loss share is made once.

    Args:
        logits: Of a segmenter [B, K, H, W].
        masks: As `core.masks` has them, uint8 [B, P, H, W].
        head: What the K classes are.
        weights: How much they count; None: the same.

    Attributes:
        logits: At least of single precision [B, N, K].
        planes: The masks, uint8 [B, N, P].
        counted: Which pixels count, bool [B, N, 1]: those that no plane ignores; None for all.

    Raises:
        DataError: If the shapes do not belong together.
    """

    def __init__(
        self, logits: Tensor, masks: Tensor, head: Head, weights: HeadWeights | None = None
    ) -> None:
        self.head, self.weights = head, weights
        self.kind = MaskKind.of_head(head)
        self._check(logits, masks)
        if self.kind.exclusive and head.num_classes < _MANY:
            logits = logits.contiguous()
        self.logits = _pixels(logits).to(torch.promote_types(logits.dtype, torch.float32))
        self.planes = _pixels(masks)
        self.counted = self._counted()

    def _counted(self) -> Tensor | None:
        # Whether anything is ignored would have to be waited for on an accelerator.
        if self.planes.device.type == "cpu" and self.planes.amax() != IGNORED:
            return None
        return (self.planes != IGNORED).all(dim=2, keepdim=True)

    def _check(self, logits: Tensor, masks: Tensor) -> None:
        batch, _, height, width = logits.shape if logits.ndim == 4 else (0, 0, 0, 0)
        classes, planes = self.kind.num_classes, self.kind.planes
        wanted = [(batch, classes, height, width), (batch, planes, height, width)]
        if [tuple(logits.shape), tuple(masks.shape)] != wanted or not logits.numel():
            msg = (
                f"loss: expected logits [images, {classes}, height, width] and masks "
                f"[images, {planes}, height, width], got {list(logits.shape)} and "
                f"{list(masks.shape)}"
            )
            raise DataError(msg, slug="data/mask-loss-shape")

    @cached_property
    def truth(self) -> Tensor:
        """Where each class is true: 1, elsewhere 0, as where pixels do not count [B, N, K]."""
        if self.kind.exclusive or self.counted is not None:
            return self.shows.to(self.logits.dtype)
        return self.planes.to(self.logits.dtype)

    @cached_property
    def shows(self) -> Tensor:
        """Where each class is true, bool [B, N, K]; nowhere where pixels do not count."""
        if not self.kind.exclusive:
            shows = self.planes == 1
            return shows if self.counted is None else shows & self.counted
        numbers = torch.arange(self.kind.num_classes, dtype=torch.uint8, device=self.logits.device)
        if self.lies_by_class:
            return (self.planes.transpose(1, 2) == numbers[:, None]).transpose(1, 2)
        return self.planes == numbers

    @property
    def lies_by_class(self) -> bool:
        """Whether all pixels of a class lie side by side, and not all classes of a pixel."""
        return not self.logits.is_contiguous()

    @cached_property
    def probs(self) -> Tensor:
        """Probabilities by the head's activation [B, N, K]; a linear head's outputs as they are."""
        if self.head.activation == "sigmoid":
            return self.logits.sigmoid()
        if self.head.activation == "linear":
            return self.logits
        if self.lies_by_class:
            return self.logits.transpose(1, 2).softmax(dim=1).transpose(1, 2)
        return self.logits.softmax(dim=2)

    @cached_property
    def overlap(self) -> Overlap:
        """Sums over the pixels that count."""
        # of many exclusive classes bytes, of which there are fewer, and else what is there anyway
        truth = self.shows if self.kind.exclusive else self.truth
        said = self.only_counted(self.probs).sum(dim=1)
        return Overlap((self.probs * truth).sum(dim=1), said, truth.sum(dim=1, dtype=said.dtype))

    def only_counted(self, values: Tensor) -> Tensor:
        """Put 0 where pixels do not count, so that they have no gradient [B, N, …]."""
        if self.counted is None:
            return values
        return torch.where(self.counted if values.ndim == 3 else self.counted[..., 0], values, 0)

    def mean(self, values: Tensor) -> Tensor:
        """Average over the pixels of each image that count [B]; 0 where none does.

        Args:
            values: One for each pixel [B, N], or for each of its classes [B, N, K].
        """
        if self.counted is None:
            return values.flatten(1).mean(dim=1)
        each = values.shape[2] if values.ndim == 3 else 1
        counted = self.counted.flatten(1).sum(dim=1).clamp(min=1) * each
        return self.only_counted(values).flatten(1).sum(dim=1) / counted


def _pixels(images: Tensor) -> Tensor:
    """See [B, C, H, W] as [B, H * W, C], whatever its order in memory."""
    return images.flatten(2).transpose(1, 2)
