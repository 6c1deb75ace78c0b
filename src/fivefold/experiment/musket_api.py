"""Musket's Python names: `classification.parse("config.yaml")` and what hangs on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fivefold.config import find_project
from fivefold.core.progress import Progress, Terminal
from fivefold.core.types import Floats
from fivefold.data import PredictionItem
from fivefold.engine.lr_finder import LRFinder, Sweep
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.project import find_experiment
from fivefold.experiment.summary import Summary
from fivefold.models import Classifier


class ClassificationPipeline:
    """An experiment under Musket's method names.

    Args:
        experiment: The experiment itself, for everything that Musket had no name for.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def fit(
        self,
        dataset: Any = None,
        foldsToExecute: Sequence[int] | None = None,  # noqa: N803  Musket's name
        jobs: int | None = None,
    ) -> Summary:
        """Train; see `Experiment.fit`.

        Args:
            dataset: Any object with `__len__` and `__getitem__` that returns a `PredictionItem`;
                the config's `dataset:` section if not given.
            foldsToExecute: Only these folds.
            jobs: How many may run at once; Musket has no name for it.
        """
        return self.experiment.fit(dataset, folds=foldsToExecute, jobs=jobs)

    def lr_find(
        self,
        dataset: Any = None,
        foldsToExecute: Sequence[int] | None = None,  # noqa: N803  Musket's name
        stage: int = 0,
        subsample: float = 1.0,
        start_lr: float = 1e-6,
        end_lr: float = 1.0,
        epochs: int = 5,
    ) -> LRFinder:
        """Try ever higher learning rates; see `Experiment.lr_find`.

        Args:
            dataset: As for `fit`.
            foldsToExecute: On the first of these; fold 0 if not given.
            stage: Which stage's loss, optimizer and batches; those before it must be trained.
            subsample: Fraction of the training samples that each epoch takes, above 0.
            start_lr: The first rate.
            end_lr: Where they go.
            epochs: How many.

        Returns:
            What has `plot_loss` and `plot_loss_change`.
        """
        sweep = Sweep(start_lr=start_lr, end_lr=end_lr, epochs=epochs, subsample=subsample)
        fold = foldsToExecute[0] if foldsToExecute else 0
        return self.experiment.lr_find(dataset, fold=fold, stage=stage, sweep=sweep)

    def predict_all_to_array(
        self,
        dataset: Any,
        fold: int | Sequence[int] = 0,
        stage: int = 0,
        *,
        ttflips: str | bool = False,
    ) -> Floats:
        """Predict a data set in its own order.

        Args:
            dataset: As for `fit`; labels are not needed.
            fold: Whose model; several are averaged.
            stage: Whose weights; 0 is the first, as in Musket.
            ttflips: Average over flips: True for four, or "Horizontal".

        Returns:
            Probabilities [N, all classes].

        Raises:
            DataError: If a sample cannot be read, since then rows would not line up.
        """
        return self.experiment.predict_all(dataset, _folds(fold), stage, tta=ttflips)

    def load_model(self, fold: int = 0, stage: int = -1) -> Classifier:
        """Load the best model of a fold's stage: a torch module in eval mode."""
        return self.experiment.load_model(fold, stage)

    def directory(self) -> Path:
        """The experiment's folder."""
        return self.experiment.folder.root

    def get_project_path(self) -> Path:
        """What holds the `experiments` folder; outside of one, the folder above the experiment."""
        return find_project(self.experiment.folder.config_path) or self.directory().parent


def parse(
    path: str | Path, *, allow_imports: bool = False, progress: Progress | None = None
) -> ClassificationPipeline:
    """Read and check a config.

    Args:
        path: A YAML file, a folder with a `config.yaml`, or the name of an experiment in the
            project around the working folder.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches; bars and lines on the terminal if not given.

    Raises:
        ConfigError: With every problem of the config.
    """
    watcher = progress or Terminal()
    return ClassificationPipeline(
        Experiment.load(find_experiment(path), allow_imports=allow_imports, progress=watcher)
    )


def _folds(fold: int | Sequence[int]) -> tuple[int, ...]:
    return (fold,) if isinstance(fold, int) else tuple(fold)


__all__ = ["ClassificationPipeline", "PredictionItem", "parse"]
