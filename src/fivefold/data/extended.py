"""A data set with further samples, which are only trained on."""

from collections.abc import Iterator, Sequence

import numpy as np

from fivefold.core.errors import DataError, did_you_mean
from fivefold.data.given_folds import TRAIN_ONLY
from fivefold.data.samples import SampleTable
from fivefold.data.source import Labels, Source
from fivefold.data.views.joined import JoinedSource, repeated_id


class ExtendedSource(JoinedSource):
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
        _check_labels(source.labels, further.labels, name)
        super().__init__((source, further), ("", name), source.labels)
        self.first = source
        if repeated_id(self.sample_ids) is not None:
            msg = f"{name}: expected no id of the data set to begin with {name + '/'!r}"
            raise DataError(msg, hint="rename that folder", slug="data/extra-ids")
        self.fold_lists = source.fold_lists
        self.folds_where = source.folds_where
        if source.fold_numbers is not None:
            always = np.full(len(further), TRAIN_ONLY, dtype=np.int64)
            self.fold_numbers = np.concatenate([source.fold_numbers, always])
        self.held_out = source.held_out
        self.train_only = range(len(source) - len(source.train_only), len(self))
        self.warnings = (*self.warnings, *_shared_groups(source, further, name))


def _shared_groups(source: Source, further: Source, name: str) -> Iterator[str]:
    """Word a warning about groups of which a model may see one part and be tested on another."""
    if source.groups is None or further.groups is None:
        return
    both = {*source.groups} & {*further.groups}
    shared = sorted(group for group in both if not group.startswith("\x1f"))  # that is no name
    if shared:
        groups = "1 group is" if len(shared) == 1 else f"{len(shared):,} groups are"
        text = f"{name}: {groups} in the data set too, such as {shared[0]!r}: every fold is trained"
        yield f"{text} on them, also the one that validates them; take them out"


def _check_labels(known: tuple[Labels, ...], own: tuple[Labels, ...], name: str) -> None:
    """Make sure that the data set has all classes of further samples."""
    if len(own) != len(known):
        msg = (
            f"{name}: expected labels for {len(known)} outputs as the data set has, got {len(own)}"
        )
        raise DataError(msg, slug="data/extra-labels")
    for mine, theirs in zip(own, known, strict=True):
        if theirs.exclusive and not mine.exclusive:
            msg = f"{name}: expected one class for each sample as in the data set, got several"
            raise DataError(msg, slug="data/extra-labels")
        known_names = theirs.class_names
        unknown = [text for text in mine.class_names if text not in known_names]
        if unknown:
            msg = f"{name}: expected classes that the data set has, got {unknown[:5]}"
            hint = did_you_mean(unknown[0], known_names, f"it has {', '.join(known_names[:8])}")
            raise DataError(msg, hint=hint, slug="data/extra-labels")


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
