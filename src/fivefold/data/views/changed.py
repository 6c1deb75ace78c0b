"""A source whose images or labels are changed when they are read."""

from collections.abc import Sequence

from fivefold.core.types import Floats, Image, Indices
from fivefold.data.decode import Header
from fivefold.data.forked import Trust
from fivefold.data.source import Fetched, Sample, Source


class ChangedSource(Source):
    """All samples of a source, as they are; subclasses change one thing.

    Args:
        source: Reads them.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.sample_ids: Sequence[str] = source.sample_ids
        self.labels = source.labels
        self.masks = source.masks
        self.groups = source.groups
        self.weights = source.weights
        self.excluded = source.excluded
        self.warnings, self.notes = source.warnings, source.notes
        self.fold_numbers, self.folds_where = source.fold_numbers, source.folds_where
        self.one_at_a_time = source.one_at_a_time
        self.fold_lists = source.fold_lists
        self.held_out = source.held_out
        self.train_only = source.train_only

    def show_alpha(self, wanted: bool) -> None:  # noqa: FBT001  the protocol
        """Say whether images with opacities get a fourth channel, or are laid on white."""
        self._source.show_alpha(wanted)

    @property
    def trust(self) -> Trust:
        """Whether the source may be read in forks."""
        return self._source.trust

    def sample(self, i: int) -> Sample:
        """Read a sample."""
        mask = self.mask(i) if self.masks else None
        return Sample(self.sample_ids[i], self.image(i), self.target(i), mask)

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read a sample's pixels."""
        return self._source.image(i, at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C] without reading its image."""
        return self._source.target(i)

    def mask(self, i: int) -> Image:
        """Read a sample's mask."""
        return self._source.mask(i)

    def counts(self, i: int) -> Indices:
        """Count the pixels of each class in a sample's mask."""
        return self._source.counts(i)

    def tell_counts(self, i: int, counts: Sequence[int]) -> None:
        """Hear how many pixels of each class a sample's mask has."""
        self._source.tell_counts(i, counts)

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for."""
        return self._source.is_positive(i)

    def fetch(self, i: int) -> Fetched:
        """Read a sample's content once."""
        return self._source.fetch(i)

    def header(self, i: int) -> Header | None:
        """Read how a sample's file begins."""
        return self._source.header(i)

    def stamp(self, i: int) -> str:
        """Tell cheaply whether a sample may have changed."""
        return self._source.stamp(i)

    def path(self, i: int) -> str:
        """Tell where a sample lies, or nothing."""
        return self._source.path(i)

    def name_of(self, i: int) -> str:
        """Name a sample for a message."""
        return self._source.name_of(i)
