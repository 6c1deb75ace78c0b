"""The folds of a data set as positions in it, under Musket's names."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.core.durable import write_text
from fivefold.core.seeding import generator_for
from fivefold.core.types import Indices
from fivefold.data import Source
from fivefold.experiment.musket.negatives import Negatives, with_some_negatives

_INSTEAD = {
    "generator": "`fit` makes its own batches",
    "load": "take `SubDataSet(ds, kfold.indexes(fold, True))`",
    "addToTrain": "use `extra_train_data` in the config",
    "numBatches": "`len(kfold.indexes(fold, True)) / batch`",
    "trainOnFold": "use `cfg.fit(ds, foldsToExecute=[fold])`",
    "clear_train": "use `noTrain` in the config",
    "augmentor": "`fivefold preview` shows what augmentation does",
}


@dataclass(frozen=True, eq=False)
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

    def save(self, path: Path | str) -> None:
        """Write the positions as JSON: for each fold a list to train and one to validate on."""
        both = [[train.tolist(), val.tolist()] for train, val in self.folds]
        write_text(Path(path), json.dumps(both) + "\n")

    def __getattr__(self, name: str) -> Any:
        if name in _INSTEAD:
            msg = f"{name} of Musket's k-fold is not in fivefold: {_INSTEAD[name]}"
            raise AttributeError(msg)
        raise AttributeError(name)
