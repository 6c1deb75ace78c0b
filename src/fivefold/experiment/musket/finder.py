"""The learning-rate finder under Musket's names, which can be sent over arrays too."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.types import AnyArray
from fivefold.data import Labels, PredictionItem, PythonSource
from fivefold.data.by_id import FoldOf
from fivefold.data.given_folds import TRAIN_ONLY
from fivefold.engine.lr_finder import LRFinder, Sweep
from fivefold.experiment.datasets import prepare
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.lr_finding import find_learning_rate


class Finder:
    """What `lr_find` has found; has everything that an `LRFinder` has.

    Args:
        experiment: Of which a stage is looked at.
        stage: Which one; it decides the loss, the optimizer and the augmentation.
        labels: What the columns of labels mean.
        found: The rates that were tried last.
    """

    def __init__(
        self, experiment: Experiment, stage: int, labels: tuple[Labels, ...], found: LRFinder
    ) -> None:
        self.found = found
        self._experiment, self._stage, self._labels = experiment, stage, labels

    def __getattr__(self, name: str) -> Any:
        if name == "found":  # not made yet
            raise AttributeError(name)
        return getattr(self.found, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.found)})

    def find(
        self,
        x: AnyArray,
        y: AnyArray,
        start_lr: float = 1e-6,
        end_lr: float = 1.0,
        batch_size: int = 64,
        epochs: int = 1,
    ) -> LRFinder:
        """Try ever higher learning rates on arrays, all of which are trained on.

        Args:
            x: Images [N, H, W, C], 0-255 or 0-1.
            y: Class numbers [N], or 0 and 1 for each class [N, classes].
            start_lr: The first rate.
            end_lr: Where they go.
            batch_size: Images in a batch.
            epochs: Passes over the images.

        Returns:
            What is found, which this object shows from now on.

        Raises:
            DataError: If the arrays do not fit each other or the classes.
        """
        if len(x) != len(y) or len(x) < 2:
            msg = (
                f"find: expected at least 2 images and a label for each, got {len(x)} and {len(y)}"
            )
            raise DataError(msg, slug="data/image-array")
        run = self._experiment
        source = PythonSource(_Arrays(x, y), self._labels, progress=run.progress)
        with tempfile.TemporaryDirectory() as folder:
            # folds of other samples have no business beside the experiment's own
            prepared = prepare(source, run.config, RunFolder.of(Path(folder)), run.progress)
        ids = prepared.table.sorted_ids
        all_trained = FoldOf(ids, np.full(len(ids), TRAIN_ONLY, dtype=np.int8))
        splits = replace(prepared.splits, fold_of=all_trained)
        work = run._work(replace(prepared, splits=splits), [0], reuse=False)
        stages = tuple(replace(stage, batch=batch_size) for stage in work.stages)
        sweep = Sweep(start_lr=start_lr, end_lr=end_lr, epochs=epochs)
        self.found = find_learning_rate(replace(work, stages=stages), 0, self._stage, sweep)
        return self.found


class _Arrays:
    """Images and labels that are arrays, as a data set."""

    def __init__(self, images: AnyArray, labels: AnyArray) -> None:
        self._images, self._labels = np.asarray(images), np.asarray(labels)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, i: int) -> PredictionItem:
        label = self._labels[i]
        return PredictionItem(str(i), self._images[i], int(label) if label.ndim == 0 else label)
