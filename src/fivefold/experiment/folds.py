"""The folds of a data set as positions in it, under Musket's names."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.durable import write_text
from fivefold.core.seeding import generator_for
from fivefold.core.types import Indices
from fivefold.data import PythonSource, Source
from fivefold.data.datasets import CompositeDataSet, SourceDataSet, source_of
from fivefold.data.extended import ExtendedSource
from fivefold.experiment.negatives import Negatives, with_some_negatives

_INSTEAD = {
    "generator": "`fit` makes its own batches",
    "load": "take `SubDataSet(ds, kfold.indexes(fold, True))`",
    "numBatches": "`len(kfold.indexes(fold, True)) / batch`",
    "trainOnFold": "use `cfg.fit(ds, foldsToExecute=[fold])`",
    "clear_train": "use `noTrain` in the config",
    "augmentor": "`fivefold preview` shows what augmentation does",
}


@dataclass(eq=False)
class Folds:
    """Which items each fold is trained and validated on.

    Attributes:
        ds: The data set.
        folds: For each fold the positions in it to train on and to validate on, in order.
        source: The samples that it holds.
        seed: What negative samples are drawn with.
    """

    ds: Any
    folds: list[tuple[Indices, Indices]]
    source: Source
    seed: int

    def indexes(self, fold: int, isTrain: bool) -> Indices:
        """Give the positions of a fold's training or validation items."""
        return self.folds[fold][0 if isTrain else 1]

    def sampledIndexes(self, fold: int, isTrain: bool, negatives: Negatives) -> Indices:
        """Give those positions, with only some of the items that have no class."""
        rng = generator_for(self.seed, "evaluate", fold)
        return with_some_negatives(self.source, self.indexes(fold, isTrain), negatives, rng)

    def addToTrain(self, ds: Any) -> None:
        """Add the items of a data set to those that every fold is trained on.

        Raises:
            DataError: If their labels do not fit.
        """
        known = ds if isinstance(ds, Source) else source_of(ds)
        further = known or PythonSource(ds, self.source.labels)
        parts = sum(isinstance(own, ExtendedSource) for own in _around(self.source))
        self.source = ExtendedSource(self.source, further, f"added{parts or ''}")
        of_files = known is not None and source_of(self.ds) is not None
        self.ds = SourceDataSet(self.source) if of_files else CompositeDataSet([self.ds, ds])
        added = np.arange(len(self.source) - len(further), len(self.source))
        self.folds = [(np.concatenate([train, added]), val) for train, val in self.folds]

    def save(self, path: Path | str) -> None:
        """Write the positions as JSON: for each fold a list to train and one to validate on."""
        both = [[train.tolist(), val.tolist()] for train, val in self.folds]
        write_text(Path(path), json.dumps(both) + "\n")

    def __getattr__(self, name: str) -> Any:
        if name in _INSTEAD:
            msg = f"{name} of Musket's k-fold is not in fivefold: {_INSTEAD[name]}"
            raise AttributeError(msg)
        raise AttributeError(name)


def _around(source: Source) -> Iterator[Source]:
    """Give a source, and those that it extends."""
    yield source
    if isinstance(source, ExtendedSource):
        yield from _around(source.first)
