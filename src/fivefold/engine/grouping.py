"""Which batches make one step of the optimizer."""

from collections.abc import Sequence
from dataclasses import dataclass

from fivefold.core.types import Indices


@dataclass(frozen=True)
class Grouping:
    """The batches of an epoch, in groups of which each makes one step.

    A group's gradient is that of one batch of all its samples: each batch has the part of the mean
    loss that its samples are of the group's, in the last, smaller group too.

    Attributes:
        sizes: Samples in each batch.
        accumulate: Batches in a group, at least 1.
    """

    sizes: tuple[int, ...]
    accumulate: int

    @classmethod
    def of(cls, parts: Sequence[Indices], accumulate: int) -> "Grouping":
        """Group the batches that have these rows."""
        return cls(tuple(map(len, parts)), accumulate)

    @property
    def steps(self) -> int:
        """How many steps an epoch has, at least 1."""
        return max(-(-len(self.sizes) // self.accumulate), 1)

    def step(self, batch: int) -> int:
        """Say which step a batch belongs to, 0-based."""
        return batch // self.accumulate

    def share(self, batch: int) -> float:
        """Say what part of its group's samples a batch has, above 0 and at most 1."""
        first = batch - batch % self.accumulate
        return self.sizes[batch] / sum(self.sizes[first : first + self.accumulate])

    def is_last(self, batch: int) -> bool:
        """Say whether the step is taken after this batch."""
        return (batch + 1) % self.accumulate == 0 or batch + 1 == len(self.sizes)
