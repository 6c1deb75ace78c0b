"""Some samples of a source, in an order of one's own."""

from collections.abc import Sequence

import numpy as np

from fivefold.core.types import Floats, Image, Indices
from fivefold.data.decode import Header
from fivefold.data.forked import Trust
from fivefold.data.packed import chosen, small
from fivefold.data.source import Fetched, Sample, Source


class ChosenSource(Source):
    """Some samples of a source.

    Args:
        source: Reads them.
        positions: Which samples, each once.
    """

    def __init__(self, source: Source, positions: Sequence[int] | Indices) -> None:
        rows = np.asarray(positions, dtype=np.int64)
        self._source = source
        self._positions = small(rows)
        self.sample_ids = chosen(source.sample_ids, rows)
        self.labels = source.labels
        self.masks = source.masks
        self.groups = None if source.groups is None else chosen(source.groups, rows)
        self.weights = None if source.weights is None else source.weights[rows]
        self.warnings, self.notes = source.warnings, source.notes
        self.folds_where = source.folds_where
        if source.fold_numbers is not None:
            self.fold_numbers = source.fold_numbers[rows]
        self.one_at_a_time = source.one_at_a_time

    def show_alpha(self, wanted: bool) -> None:  # noqa: FBT001  the protocol
        """Say whether images with opacities get a fourth channel, or are laid on white."""
        self._source.show_alpha(wanted)

    @property
    def trust(self) -> Trust:
        """Whether the source may be read in forks."""
        return self._source.trust

    def _place(self, i: int) -> int:
        return int(self._positions[i])

    def sample(self, i: int) -> Sample:
        """Read a sample."""
        return self._source.sample(self._place(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read a sample's pixels."""
        return self._source.image(self._place(i), at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C] without reading its image."""
        return self._source.target(self._place(i))

    def mask(self, i: int) -> Image:
        """Read a sample's mask."""
        return self._source.mask(self._place(i))

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask."""
        return self._source.counts(self._place(i))

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:
        """Hear how many pixels of each class a sample's mask has."""
        self._source.tell_counts(self._place(i), counts)

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for."""
        return self._source.is_positive(self._place(i))

    def fetch(self, i: int) -> Fetched:
        """Read a sample's content once."""
        return self._source.fetch(self._place(i))

    def header(self, i: int) -> Header | None:
        """Read how a sample's file begins."""
        return self._source.header(self._place(i))

    def stamp(self, i: int) -> str:
        """Tell cheaply whether a sample may have changed."""
        return self._source.stamp(self._place(i))

    def path(self, i: int) -> str:
        """Tell where a sample lies, or nothing."""
        return self._source.path(self._place(i))

    def name_of(self, i: int) -> str:
        """Name a sample for a message."""
        return self._source.name_of(self._place(i))
