"""The data sets that Musket's methods are called with, by name or as objects."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.seeding import generator_for
from fivefold.core.types import Floats, Head, Indices, head_slices
from fivefold.data import Labels, PythonSource, Source
from fivefold.data.chosen import ChosenSource
from fivefold.data.datasets import SourceDataSet, SubDataSet
from fivefold.data.given_folds import HOLDOUT
from fivefold.data.splits import Splits
from fivefold.experiment.datasets import open_inputs, prepare, wrap
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.negatives import Negatives, with_some_negatives

_NAMED = re.compile(r"(validation|train|holdout)(\d*)", re.ASCII)


class Given:
    """What the parts of a pipeline share: the experiment, and the data set at hand.

    Args:
        experiment: The experiment itself.

    Attributes:
        dataset: What the last call of `fit` was given; None for the config's own.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.dataset: Any = None
        self._opened: tuple[Any, Source] | None = None

    def get_dataset(self, name: str | None = None) -> Any:
        """Give a data set by name.

        Args:
            name: "train", "validation" or "holdout" of fold 0, or with a fold's number behind it,
                such as "validation3"; without a name the whole one, as `fit` was given it or as the
                config describes it.

        Raises:
            DataError: If there is none of this name.
        """
        if name is None:
            return self._whole(None)
        part, fold = self._part_of_name(name)
        return self._subset(None, part, fold)

    def train(self, ds: Any = None, foldNum: int = 0) -> SubDataSet:
        """Give the items that a fold's model is trained on."""
        return self._subset(ds, "train", foldNum)

    def validation(self, ds: Any = None, foldNum: int = 0) -> SubDataSet:
        """Give the items that a fold's model is validated on."""
        return self._subset(ds, "validation", foldNum)

    def holdout(self, ds: Any = None) -> SubDataSet:
        """Give the items that no model sees."""
        return self._subset(ds, "holdout", HOLDOUT)

    def setHoldout(self, indices: Sequence[int]) -> None:
        """Keep these items out of all folds, instead of a part that is drawn.

        Args:
            indices: Positions in the data set.

        Raises:
            DataError: If a position is not one of the data set's; told by what opens it next.
        """
        self.experiment.held_out = tuple(int(i) for i in indices)
        self._opened = None

    def train_without_holdout(self, ds: Any = None) -> SubDataSet:
        """Give the items of all folds."""
        return self._subset(ds, "folds", HOLDOUT)

    def _subset(self, ds: Any, part: str, fold: int) -> SubDataSet:
        whole, positions = self._whole(ds), self._positions(ds, part, fold)
        number = fold if fold >= 0 and part != "holdout" else ""
        return SubDataSet(whole, positions.tolist(), name=f"{part}{number}")

    def _whole(self, ds: Any) -> Any:
        """Give a data set as an object with items."""
        own = self.dataset if ds is None else ds
        if own is None or isinstance(own, Source) or self._source(own).train_only:
            return SourceDataSet(self._source(own), name="dataset")
        return own

    def _source(self, ds: Any) -> Source:
        """Open a data set with its labels, or the config's own; the last one stays open."""
        own = self.dataset if ds is None else ds
        if self._opened is None or self._opened[0] is not own:
            run = self.experiment
            self._opened = (own, run.source(own))
        return self._opened[1]

    def _labelled(self, ds: Any, heads: Sequence[Head]) -> Source:
        """Open a data set whose labels are to mean what a model's columns do."""
        source = self._source(ds)
        known_already = source.masks is not None or _fits(source.labels, heads)
        if not isinstance(source, PythonSource) or known_already:
            return source
        known = tuple(Labels(h.name, h.class_names, h.activation == "softmax") for h in heads)
        return PythonSource(self._whole(ds), known, progress=self.experiment.progress)

    def _validation_source(
        self, ds: Any, fold: int, negatives: Negatives, heads: Sequence[Head]
    ) -> Source:
        """Take a fold's validation samples, and of those without a class as many as are wanted."""
        whole = self._labelled(ds, heads)
        positions = self._positions(ds, "validation", fold)
        rng = generator_for(self.experiment.config.seed, "evaluate", fold)
        return ChosenSource(whole, with_some_negatives(whole, positions, negatives, rng))

    def _splits(self, ds: Any) -> Splits:
        """Read the folds that were trained on, or make those that `fit` would make."""
        run = self.experiment
        if run.folder.folds_path.exists():
            return Splits.load(run.folder.folds_path)
        return prepare(self._source(ds), run.config, run.folder, run.progress).splits

    def _positions(self, ds: Any, part: str, fold: int) -> Indices:
        """Find the positions of a part of a data set, in its own order.

        Raises:
            DataError: If the data set lacks samples that the folds have.
        """
        splits, source = self._splits(ds), self._source(ds)
        if part == "folds":
            ids = [name for name, own in splits.fold_of.items() if own != HOLDOUT]
        else:
            ids = list(splits.train_ids(fold) if part == "train" else splits.val_ids(fold))
        if part == "holdout" and not ids:
            msg = "holdout: expected samples that no model sees, got none"
            hint = "`testSplit: 0.1` in the config of a new experiment keeps a tenth"
            raise DataError(msg, hint=hint, slug="data/no-holdout")
        place = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
        lost = [sample_id for sample_id in ids if sample_id not in place]
        if lost:
            msg = f"data set: expected the samples that were trained on, got none of {lost[:5]}"
            raise DataError(msg, hint="give the data set of `fit`", slug="data/other-dataset")
        return np.sort(np.array([place[sample_id] for sample_id in ids], dtype=np.int64))

    @staticmethod
    def is_name(text: str) -> bool:
        """Say whether a text names a part of the data, such as "validation3"."""
        return _NAMED.fullmatch(text) is not None

    def _part_of_name(self, name: str) -> tuple[str, int]:
        found = _NAMED.fullmatch(name)
        if not found or (found[1] == "holdout" and found[2]):
            msg = f"data set: expected 'train', 'validation3' or 'holdout', got {name!r}"
            raise DataError(msg, hint="or give the data set itself", slug="data/dataset-name")
        return found[1], HOLDOUT if found[1] == "holdout" else int(found[2] or 0)

    def _to_predict(self, dataset: Any, limit: int = -1) -> Source:
        """Open what is to be predicted: a data set, its name, a folder, a table or files."""
        if isinstance(dataset, str) and self.is_name(dataset):
            source: Source = ChosenSource(
                self._source(None), self._positions(None, *self._part_of_name(dataset))
            )
        elif isinstance(dataset, Path | str):
            source = open_inputs(Path(dataset))
        else:
            source = wrap(dataset, self.experiment.progress, labelled=False)
        return source if limit < 0 else ChosenSource(source, range(min(limit, len(source))))


def _fits(labels: Sequence[Labels], heads: Sequence[Head]) -> bool:
    """Say whether labels name classes that a model knows."""
    same = len(labels) == len(heads)
    both = zip(labels, heads, strict=False)
    return same and all(set(own.class_names) <= set(head.class_names) for own, head in both)


def targets_of(source: Source, positions: Sequence[int], heads: Sequence[Head]) -> Floats:
    """Collect the truth of some samples in a model's columns [N, all classes].

    Raises:
        DataError: If the samples have no labels, or classes that the model does not know.
    """
    columns = _columns(source.labels, heads)
    rows = [source.target(i) for i in positions]
    truth = np.zeros((len(rows), sum(head.num_classes for head in heads)), dtype=np.float32)
    for k, row in enumerate(rows):
        if row is None:
            msg = f"{source.sample_ids[positions[k]]}: expected a label, got none"
            raise DataError(msg, slug="data/no-labels")
        truth[k, columns] = row
    return truth


def truth_of(found: Predictions, source: Source) -> Floats:
    """Collect the truth of what was predicted; see `targets_of`."""
    place = {sample_id: i for i, sample_id in enumerate(source.sample_ids)}
    return targets_of(source, [place[sample_id] for sample_id in found.ids], found.heads)


def _columns(labels: Sequence[Labels], heads: Sequence[Head]) -> list[int]:
    """Find the model's column of each class that the labels name."""
    if len(labels) != len(heads) or not labels:
        msg = f"labels: expected {len(heads)} outputs as the model has, got {len(labels)}"
        raise DataError(msg, hint="evaluate on labelled data", slug="data/no-labels")
    columns = []
    for own, head, part in zip(labels, heads, head_slices(tuple(heads)), strict=True):
        place = {name: part.start + k for k, name in enumerate(head.class_names)}
        unknown = [name for name in own.class_names if name not in place]
        if unknown:
            msg = f"labels: expected classes that the model knows, got {unknown[:5]}"
            hint = f"it knows {', '.join(head.class_names[:8])}"
            raise DataError(msg, hint=hint, slug="data/heads")
        columns += [place[name] for name in own.class_names]
    return columns
