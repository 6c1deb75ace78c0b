"""A data set with further samples, which are only trained on."""

from collections.abc import Sequence

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.types import Floats, Image
from fivefold.data.channels import AT_START
from fivefold.data.forked import Trust
from fivefold.data.packed import packed
from fivefold.data.samples import SampleTable
from fivefold.data.source import Fetched, Labels, Sample, Source


class ExtendedSource(Source):
    """The samples of a source, and behind them those of another one, which are only trained on.

    Ids of the further ones begin with a name, so that they are told from equal ones of the first.
    Their labels are put into the columns of the first by the classes' names.

    Args:
        source: It decides the classes, the folds and the holdout.
        further: Samples that no fold is validated on.
        name: What ids of the further ones begin with, and what messages call them.

    Attributes:
        first: The first source.

    Raises:
        DataError: If the further samples have no labels, or classes that the first has not.
    """

    def __init__(self, source: Source, further: Source, name: str) -> None:
        self.first = source
        self._parts = (source, further)
        self._name = name
        self._first = len(source)
        self.labels = source.labels
        self._columns = _columns(source.labels, further.labels, name)
        self._width = sum(len(labels.class_names) for labels in source.labels)
        ids = [*source.sample_ids, *(f"{name}/{own}" for own in further.sample_ids)]
        if len(set(ids)) < len(ids):
            msg = f"{name}: expected no id of the data set to begin with {name + '/'!r}"
            raise DataError(msg, hint="rename that folder", slug="data/extra-ids")
        self.sample_ids = packed(ids)
        self.groups = self._joined_groups()
        self.excluded = (
            *source.excluded,
            *((f"{name}/{own}", rule) for own, rule in further.excluded),
        )
        self.warnings = (*source.warnings, *(f"{name}: {text}" for text in further.warnings))
        self.one_at_a_time = source.one_at_a_time or further.one_at_a_time
        self.fold_lists = source.fold_lists
        self.held_out = source.held_out
        self.train_only = range(self._first - len(source.train_only), len(ids))

    def _joined_groups(self) -> Sequence[str] | None:
        if all(part.groups is None for part in self._parts):
            return None
        both = zip(("", f"{self._name}/"), self._parts, strict=True)
        return packed(
            f"{start}{group}"
            for start, part in both
            for group in (part.sample_ids if part.groups is None else part.groups)
        )

    @property
    def trust(self) -> Trust:
        """Whether both may be read in forks."""
        owned = any(part.trust.before == () for part in self._parts)
        usual = Trust(() if owned else AT_START)
        found = vars(self).setdefault("_trust", usual)
        return found if isinstance(found, Trust) else usual

    def _place(self, i: int) -> tuple[Source, int]:
        """Find a sample's source, and its position there."""
        further = i >= self._first
        return self._parts[further], i - self._first * further

    def sample(self, i: int) -> Sample:
        """Read a sample."""
        source, position = self._place(i)
        return Sample(self.sample_ids[i], source.sample(position).image, self.target(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read a sample's pixels."""
        source, position = self._place(i)
        return source.image(position, at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C] without reading its image."""
        source, position = self._place(i)
        own = source.target(position)
        if i < self._first or own is None:
            return own
        target = np.zeros(self._width, dtype=np.float32)
        target[self._columns] = own
        return target

    def is_positive(self, i: int) -> bool:
        """Say whether a sample shows what is looked for."""
        source, position = self._place(i)
        return source.is_positive(position)

    def fetch(self, i: int) -> Fetched:
        """Read a sample's content once."""
        source, position = self._place(i)
        return source.fetch(position)

    def stamp(self, i: int) -> str:
        """Tell cheaply whether a sample may have changed."""
        source, position = self._place(i)
        return source.stamp(position)

    def path(self, i: int) -> str:
        """Tell where a sample lies, or nothing."""
        source, position = self._place(i)
        return source.path(position)

    def name_of(self, i: int) -> str:
        """Name a sample for a message."""
        source, position = self._place(i)
        return (
            source.name_of(position)
            if i < self._first
            else (f"{self._name}: {source.name_of(position)}")
        )


def _columns(known: tuple[Labels, ...], own: tuple[Labels, ...], name: str) -> list[int]:
    """Find the data set's column of each class of further samples."""
    if len(own) != len(known):
        msg = (
            f"{name}: expected labels for {len(known)} outputs as the data set has, got {len(own)}"
        )
        raise DataError(msg, slug="data/extra-labels")
    columns, start = [], 0
    for mine, theirs in zip(own, known, strict=True):
        if theirs.exclusive and not mine.exclusive:
            msg = f"{name}: expected one class for each sample as in the data set, got several"
            raise DataError(msg, slug="data/extra-labels")
        place = {text: start + k for k, text in enumerate(theirs.class_names)}
        unknown = [text for text in mine.class_names if text not in place]
        if unknown:
            msg = f"{name}: expected classes that the data set has, got {unknown[:5]}"
            hint = did_you_mean(unknown[0], list(place), f"it has {', '.join([*place][:8])}")
            raise DataError(msg, hint=hint, slug="data/extra-labels")
        columns += [place[text] for text in mine.class_names]
        start += len(theirs.class_names)
    return columns


def without_copies(table: SampleTable, train_only: Sequence[int]) -> tuple[SampleTable, int]:
    """Leave out those samples that are only trained on and are exact copies of others.

    Whatever fold validates the other one would know it from training.

    Args:
        table: The usable samples.
        train_only: Positions in their source.

    Returns:
        The rest, and how many were left out.
    """
    further = np.isin(table.indices, np.asarray(train_only, dtype=np.int64))
    copies = further & np.isin(table.units, table.units[~further])
    return (table.take(~copies) if copies.any() else table), int(copies.sum())
