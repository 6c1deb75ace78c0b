"""Masks whose classes are counted once, so that nobody reads a mask for what it shows."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.mask_checks import check_values
from fivefold.data.source import Source

_UNKNOWN = -1


class CountedMasks(Source):
    """A source with masks that remembers how many pixels of each class they have.

    The audit tells it what it has counted; a mask that nobody has read is read when it is asked
    for. Truths follow from the counts: a class is true of a sample if its mask shows it.

    Attributes:
        masks: How they are written.
    """

    masks: MaskKind

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask [C]; reads it unless they are known.

        Raises:
            ImageProblem: If the mask has to be read and cannot be.
        """
        known = self._memo[i]
        if known[0] == _UNKNOWN:
            known[:] = check_values(self.mask(i), self.masks)
        found: Indices = known.astype(np.int64)
        return found

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:
        """Remember how many pixels of each class a sample's mask has [C]."""
        self._memo[i] = counts

    def target(self, i: int) -> Floats | None:
        """Tell which classes a sample's mask shows [C]."""
        target: Floats = CountedMasks.targets(self, [i])[0]
        return target

    def targets(self, positions: Sequence[int]) -> Floats:
        """Tell which classes some samples' masks show [n, C]."""
        return (np.stack([self.counts(i) for i in positions]) > 0).astype(np.float32)

    def is_positive(self, i: int) -> bool:
        """Say whether a mask shows any class; of exclusive ones, any but the first."""
        return bool(self.counts(i)[1 if self.masks.exclusive else 0 :].any())

    @property
    def _memo(self) -> AnyArray:
        made = vars(self)
        if "_counted" not in made:
            size = (len(self), self.masks.num_classes)
            made["_counted"] = np.full(size, _UNKNOWN, np.int32)  # no image has more pixels
        return cast("AnyArray", made["_counted"])
