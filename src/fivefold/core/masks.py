"""Masks: which pixels of an image show what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Head, Image, Indices

IGNORED = 255
"""A mask's value where nobody says what is true: such pixels are neither learned nor measured."""


_FEW = 16  # classes, each of which is found faster on its own
_STRIP = 1 << 20  # values counted at a time: NumPy makes eight bytes of each


@dataclass(frozen=True)
class MaskKind:
    """How the masks of a data set are written.

    A mask is uint8 [H, W, P]. Of exclusive classes it is one plane of the class's number at each
    pixel; else each class has a plane of its own, 1 where it is true and 0 elsewhere. In both,
    `IGNORED` marks pixels that do not count.

    Attributes:
        num_classes: How many classes there are, the background among them where they are exclusive.
        exclusive: Whether exactly one class is true for every pixel.

    Raises:
        DataError: If there are more exclusive classes than a byte has numbers for.
    """

    num_classes: int
    exclusive: bool

    def __post_init__(self) -> None:
        if self.exclusive and self.num_classes > IGNORED:
            got = f"{self.num_classes:,}"
            msg = f"masks: expected at most {IGNORED} classes that exclude each other, got {got}"
            hint = "put some together, or leave some out; `sigmoid` has a plane for each"
            raise DataError(msg, hint=hint, slug="data/mask-values")

    @property
    def planes(self) -> int:
        """How many planes a mask has."""
        return 1 if self.exclusive else self.num_classes

    @classmethod
    def of_head(cls, head: Head) -> "MaskKind":
        """Say how masks are written for a head: `softmax` has exclusive classes."""
        return cls(head.num_classes, head.activation == "softmax")


def histogram(mask: Image) -> Indices:
    """Count how often each value occurs in a mask: [256]."""
    flat, found = mask.ravel(), np.zeros(256, dtype=np.int64)
    for start in range(0, len(flat), _STRIP):
        found += np.bincount(flat[start : start + _STRIP], minlength=256)
    return found


def counts_of(mask: Image, kind: MaskKind) -> Indices:
    """Count the pixels of each class in a mask [H, W, P]: [classes]."""
    if not kind.exclusive:
        return np.array([np.count_nonzero(mask[..., k] == 1) for k in range(kind.planes)], np.int64)
    if kind.num_classes > _FEW:
        return histogram(mask)[: kind.num_classes]
    return np.array([np.count_nonzero(mask == k) for k in range(kind.num_classes)], np.int64)


def as_nearest(mask: Image, height: int, width: int) -> Image:
    """Bring a mask [H, W] or [H, W, P] to a size by taking the nearest of its values.

    A mask that has the size already is returned itself.
    """
    if mask.shape[:2] == (height, width):
        return mask
    # Of each new pixel's centre; OpenCV's own "nearest" takes its corner.
    rows = (np.arange(height) + 0.5) * mask.shape[0] // height
    columns = (np.arange(width) + 0.5) * mask.shape[1] // width
    found: Image = mask[rows.astype(np.intp)[:, None], columns.astype(np.intp)]
    return found


def empty_mask(size: Sequence[int], kind: MaskKind) -> Image:
    """Make a mask that shows nothing: the first of exclusive classes everywhere, or no class."""
    return np.zeros((size[0], size[1], kind.planes), dtype=np.uint8)
