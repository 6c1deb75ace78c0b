"""Masks: which pixels of an image show what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.types import Head, Image, Indices

IGNORED = 255
"""A mask's value where nobody says what is true: such pixels are neither learned nor measured."""


@dataclass(frozen=True)
class MaskKind:
    """How the masks of a data set are written.

    A mask is uint8 [H, W, P]. Of exclusive classes it is one plane of the class's number at each
    pixel; else each class has a plane of its own, 1 where it is true and 0 elsewhere. In both,
    `IGNORED` marks pixels that do not count.

    Attributes:
        num_classes: How many classes there are, the background among them where they are exclusive.
        exclusive: Whether exactly one class is true for every pixel.
    """

    num_classes: int
    exclusive: bool

    @property
    def planes(self) -> int:
        """How many planes a mask has."""
        return 1 if self.exclusive else self.num_classes

    @classmethod
    def of_head(cls, head: Head) -> "MaskKind":
        """Say how masks are written for a head: `softmax` has exclusive classes."""
        return cls(head.num_classes, head.activation == "softmax")


def counts_of(mask: Image, kind: MaskKind) -> Indices:
    """Count the pixels of each class in a mask [H, W, P]: [classes]."""
    if kind.exclusive:
        return np.bincount(mask.ravel(), minlength=256)[: kind.num_classes].astype(np.int64)
    return np.array([np.count_nonzero(mask[..., k] == 1) for k in range(kind.planes)], np.int64)


def empty_mask(size: Sequence[int], kind: MaskKind) -> Image:
    """Make a mask that shows nothing: the first of exclusive classes everywhere, or no class."""
    return np.zeros((size[0], size[1], kind.planes), dtype=np.uint8)
