"""Musket's methods that train, and what they have to do with it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fivefold import build
from fivefold.config import find_project
from fivefold.core.arguments import as_whole
from fivefold.core.errors import ConfigError, Problem
from fivefold.engine.lr_finder import Sweep
from fivefold.experiment.checks import CheckReport
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.folds import Folds
from fivefold.experiment.inference import load_models
from fivefold.experiment.musket.ending import ending
from fivefold.experiment.musket.finder import Finder
from fivefold.experiment.musket.given import Given
from fivefold.experiment.musket.models import LoadedModels
from fivefold.experiment.musket.places import Fold, Stage, places_of
from fivefold.experiment.musket.stage_info import StageInfo, stage_info
from fivefold.experiment.summary import Summary
from fivefold.experiment.trained import check_stages_before
from fivefold.models import Classifier, build_classifier

logger = logging.getLogger(__name__)

COMPILED = "networks are not compiled; `fit` makes the optimizer and the loss"


class Pipeline(Given):
    """An experiment under Musket's method names, as far as they do not predict.

    Args:
        experiment: The experiment itself, for everything that Musket had no name for.
    """

    _INSTEAD: ClassVar[Mapping[str, str]] = {
        "compile": COMPILED,
        "createAndCompile": COMPILED,
        "createOptimizer": COMPILED,
        "eval_tasks": "tasks are not supported; loop over `predict_on_dataset`",
    }
    """What of Musket's there is not, and what to do instead."""

    def fit(
        self,
        dataset: Any = None,
        subsample: float = 1.0,
        foldsToExecute: Sequence[int] | None = None,
        start_from_stage: int = 0,
        drawingFunction: None = None,
        parallel: bool = False,
        jobs: int | None = None,
    ) -> Summary:
        """Train; see `Experiment.fit`. What is finished already is not trained again.

        In the end whoever watches is told the numbers of each stage.

        Args:
            dataset: Any object with `__len__` and `__getitem__` that returns a `PredictionItem`;
                the config's `dataset:` section if not given.
            subsample: The fraction of the training samples that each epoch takes; 1 is what the
                config says.
            foldsToExecute: Only these folds; all if empty or not given.
            start_from_stage: Stages before this one must be finished.
            drawingFunction: Only None: fivefold draws the examples itself.
            parallel: Only false: `jobs` trains several folds at once.
            jobs: How many folds may run at once; Musket has no name for it.

        Raises:
            ConfigError: If an argument is none of these.
            StateError: If a stage before `start_from_stage` is not finished.
        """
        refused = [
            ("drawingFunction", drawingFunction is not None, "examples/ has pictures of its own"),
            ("parallel", parallel, "`jobs` says how many folds are trained at once"),
        ]
        problems = [
            Problem("config/musket-argument", "", f"{name}: expected the default", hint)
            for name, is_other, hint in refused
            if is_other
        ]
        if problems:
            raise ConfigError(problems)
        if subsample != 1.0:
            self._take_part(subsample)
        folds = foldsToExecute or None
        first = as_whole("start_from_stage", start_from_stage)
        if first:
            run = self.experiment
            check_stages_before(run.folder, run.config, folds, first, "start_from_stage")
        self.dataset = dataset
        self._opened = None
        self._forget()
        run = self.experiment
        summary = run.fit(dataset, folds=folds, jobs=jobs)
        for line in ending(summary, run.folder):
            run.progress.line(line)
        return summary

    def _take_part(self, subsample: float) -> None:
        """Read the config again with another `subsample`."""
        run = self.experiment
        self.experiment = Experiment.load(
            run.folder.config_path,
            [f"subsample={subsample}"],
            allow_imports=run.allow_imports,
            progress=run.progress,
        )
        self.experiment.held_out = run.held_out

    def lr_find(
        self,
        dataset: Any = None,
        foldsToExecute: Sequence[int] | None = None,
        stage: int = 0,
        subsample: float = 1.0,
        start_lr: float = 1e-6,
        end_lr: float = 1.0,
        epochs: int = 5,
    ) -> Finder:
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
            What has `plot_loss`, `plot_loss_change` and, for arrays, `find`.
        """
        sweep = Sweep(start_lr=start_lr, end_lr=end_lr, epochs=epochs, subsample=subsample)
        fold = foldsToExecute[0] if foldsToExecute else 0
        found = self.experiment.lr_find(dataset, fold=fold, stage=stage, sweep=sweep)
        return Finder(self.experiment, stage, self._source(dataset).labels, found)

    def load_model(self, fold: Fold = 0, stage: Stage = -1) -> Any:
        """Load trained models, ready to predict.

        Args:
            fold: Whose models; None for all that are trained.
            stage: Whose weights; -1 is the last, None is all stages.

        Returns:
            For one fold and stage the classifier, a torch module in eval mode that gives logits,
            with `predict`; for several one module that gives their mean probabilities.
        """
        places = places_of(self.experiment, fold, stage)
        if isinstance(fold, int) and isinstance(stage, int):
            return self.experiment.load_model(*places[0])
        return LoadedModels(load_models(self.experiment.folder, places))

    def createNetForInference(self, fold: Fold = 0, stage: Stage = -1) -> Any:
        """Load trained models; the same as `load_model`."""
        return self.load_model(fold, stage)

    def createNet(self) -> Classifier:
        """Build the network that training would start from."""
        config = self.experiment.config
        source = self._source(None)
        heads = build.build_heads(config, source.labels, source.masks)
        return build_classifier(
            build.build_spec(config, heads),
            weights=config.weights,
            directory=config.directory,
            generator_seed=config.seed,
        )

    def validate(self) -> CheckReport:
        """Find out everything that can be known without training, and say it line by line."""
        report = self.experiment.check(self.dataset)
        for name, text in report.lines:
            self.experiment.progress.line(f"{name}: {text}")
        return report

    def info(self, metric: str | None = None) -> list[StageInfo]:
        """Tell the best number of each stage that has been trained.

        Args:
            metric: Which number, such as "val_macro_f1"; the primary metric if not given.

        Raises:
            ConfigError: If no epoch has it.
        """
        run = self.experiment
        wanted = metric or run.config.primary_metric
        found = []
        for fold in range(run.config.folds_count):
            for stage in range(len(run.stages)):
                path = run.folder.metrics(fold, stage)
                if path.exists():
                    found.append(stage_info(path, fold, stage, wanted))
        return found

    def kfold(self, ds: Any = None, indeces: Sequence[int] | None = None) -> Folds:
        """Give the folds as positions in a data set.

        Args:
            ds: The data set; that of `fit` or of the config if not given.
            indeces: Only these items.
        """
        kept = None if indeces is None else np.asarray(list(indeces), dtype=np.int64)
        folds = []
        for fold in range(self._splits(ds).num_folds):
            both = [self._positions(ds, part, fold) for part in ("train", "validation")]
            train, val = (p if kept is None else np.intersect1d(p, kept) for p in both)
            folds.append((train, val))
        return Folds(self._whole(ds), folds, self._source(ds), self.experiment.config.seed)

    def setAllowResume(self, resume: bool) -> None:
        """Accept Musket's switch: a run always goes on where it was broken off."""
        if not resume:
            hint = "a run always goes on where it was broken off; for another one use a new folder"
            logger.warning("setAllowResume(False): without effect: %s", hint)

    def _forget(self) -> None:
        """Let go of models, since others are about to be trained."""

    def __getattr__(self, name: str) -> Any:
        if name in self._INSTEAD:
            msg = f"{name} of Musket's is not in fivefold: {self._INSTEAD[name]}"
            raise AttributeError(msg)
        msg = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(msg)

    def directory(self) -> Path:
        """The experiment's folder."""
        return self.experiment.folder.root

    def get_project_path(self) -> Path:
        """What holds the `experiments` folder; outside of one, the folder above the experiment."""
        return find_project(self.experiment.folder.config_path) or self.directory().parent
