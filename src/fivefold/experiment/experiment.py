"""The Experiment: what Python users and the command line hold in their hands."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.arguments import as_path
from fivefold.core.layout import RunFolder
from fivefold.core.lock import locked
from fivefold.core.predictions import Predictions, average
from fivefold.core.progress import Progress, Silent
from fivefold.core.types import Floats
from fivefold.data import Source
from fivefold.data.splits import Splits
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import computing_with, on_device
from fivefold.engine.lr_finder import EVERY_RATE, LRFinder, Sweep
from fivefold.engine.pace import TimeOverError
from fivefold.engine.tta import View, views_of
from fivefold.evaluation import compute
from fivefold.experiment.assembling import assembled
from fivefold.experiment.checks import CheckReport, inspect
from fivefold.experiment.datasets import Prepared, open_inputs, prepare, wrap
from fivefold.experiment.executors import AtOnce, check_at_once, run_folds
from fivefold.experiment.failures import raised_at_the_end
from fivefold.experiment.finished import compare_config, finished_summary, recorded_config
from fivefold.experiment.frozen import features_anew, run_leading_frozen
from fivefold.experiment.inference import predict_source, require_all
from fivefold.experiment.loading import load_checked, settle_monitors
from fivefold.experiment.lr_finding import find_learning_rate
from fivefold.experiment.manifest import (
    choices_to_predict,
    close_manifest,
    code_warnings,
    open_manifest,
    version_warnings,
)
from fivefold.experiment.named_files import check_files, placed_in
from fivefold.experiment.plan import choose_folds, has_begun
from fivefold.experiment.publishing import publish_summary
from fivefold.experiment.repeats import fit_repeats
from fivefold.experiment.results import Asked, conclude, out_of_fold
from fivefold.experiment.run_record import recorded_warnings
from fivefold.experiment.summary import Summary
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.work import Work
from fivefold.experiment.work_making import make_work
from fivefold.models import Classifier

logger = logging.getLogger(__name__)


class Experiment:
    """One experiment folder: a config, and what has been made from it.

    Args:
        config: Checked.
        folder: Where everything is written.
        allow_imports: Whether the config may name Python code to run.
        progress: Who watches.
        warnings: What was said while the config was read, for the run's record.

    Attributes:
        held_out: Positions in the data set that are kept out of all folds; None: `testSplit`, or
            the data set, decides.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        folder: RunFolder,
        *,
        allow_imports: bool = False,
        progress: Progress | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        self.config = config
        self._warnings = tuple(warnings)
        self.folder = folder
        self.allow_imports = allow_imports
        self.progress = progress or Silent()
        self.held_out: Sequence[int] | None = None

    @classmethod
    def load(
        cls,
        path: Path | str,
        overrides: Sequence[str] = (),
        *,
        allow_imports: bool = False,
        progress: Progress | None = None,
    ) -> "Experiment":
        """Read and check an experiment.

        Args:
            path: A folder with a `config.yaml`, or a YAML file.
            overrides: `key=value` each, such as "stages.0.lr=1e-3".
            allow_imports: Whether the config may name Python code to run.
            progress: Who watches.

        Raises:
            ConfigError: With every problem of the config.
            UnsafeInputError: If the config names code and that was not allowed.
        """
        folder = RunFolder.of(as_path("path", path))
        with recorded_warnings() as said:
            config = load_checked(folder.config_path, overrides, allow_imports=allow_imports)
        return cls(config, folder, allow_imports=allow_imports, progress=progress, warnings=said)

    @cached_property
    def stages(self) -> tuple[ResolvedStage, ...]:
        """What is done in each fold, in order."""
        return self.config.resolve()

    def check(self, dataset: Any = None) -> CheckReport:
        """Find out everything that can be known without training; the folder stays as it is.

        Raises:
            FivefoldError: Whatever would stop `fit` before its first epoch.
        """
        with self._checked(dataset):
            prepared = prepare(self.source(dataset), self.config, self.folder, self.progress)
            folds = choose_folds(None, prepared.splits.num_folds)
            return inspect(self._work(prepared, folds), prepared)

    def lr_find(
        self, dataset: Any = None, *, fold: int = 0, stage: int = 0, sweep: Sweep = EVERY_RATE
    ) -> LRFinder:
        """Try ever higher learning rates where a stage begins; the folder stays as it is.

        Args:
            dataset: As for `fit`.
            fold: On whose training samples.
            stage: Whose loss, optimizer and batches; those before it must be trained.
            sweep: The rates.

        Raises:
            FivefoldError: Whatever would stop `fit` before this stage.
        """
        with self._checked(dataset):
            prepared = prepare(self.source(dataset), self.config, self.folder, self.progress)
            (chosen,) = choose_folds([fold], prepared.splits.num_folds)
            index = self._stage_index(stage)
            return find_learning_rate(self._work(prepared, [chosen]), chosen, index, sweep)

    def fit(
        self,
        dataset: Any = None,
        folds: Sequence[int] | None = None,
        jobs: AtOnce = None,
        *,
        reuse: bool = True,
        time_limit: float | None = None,
    ) -> Summary:
        """Train every stage of every fold that is not finished.

        Killed at any moment and started again, it goes on after the last finished epoch and ends
        with the same bytes as an unbroken run.

        Args:
            dataset: A Source, or any object with `__len__` and `__getitem__`; the config's
                `dataset:` section if not given.
            folds: Only these.
            jobs: How many folds may run at once, each in its own process; the bytes are the same.
                "auto" is one for each GPU, or without GPUs as many as there are cores for. None is
                that too where processes can be copied (on Linux, without a GPU), and 1 elsewhere:
                there a script needs `if __name__ == "__main__":` before it asks for more.
            reuse: Whether to take stages that another experiment has trained alike from there.
            time_limit: Seconds after which no other epoch begins; the next start goes on there.
                One epoch of each fold that has begun is trained however long it takes.

        Returns:
            What was found in the folds that are finished; without any it has no stages.

        Raises:
            FivefoldError: Of the kind that says what went wrong; what was finished is kept.
        """
        check_at_once(jobs)
        if self.config.num_seeds > 1:

            def fit(place: Path, left: float | None) -> Summary:
                repeat = self.load(place, allow_imports=self.allow_imports, progress=self.progress)
                repeat.held_out = self.held_out
                return repeat.fit(dataset, folds, jobs, reuse=reuse, time_limit=left)

            return fit_repeats(self.config, self.folder, fit, self.progress, time_limit)
        until = None if time_limit is None else time.monotonic() + time_limit
        with locked(self.folder.lock_path):
            choose_folds(folds, self.config.folds_count)
            finished = finished_summary(self.folder, self.config)
            if finished:
                if dataset is not None:
                    prepare(self.source(dataset), self.config, self.folder, self.progress)
                return finished
            for path in self.folder.leftovers():
                path.unlink(missing_ok=True)
            return self._fit(dataset, folds, jobs, reuse=reuse, until=until)

    def summarise(self) -> Summary:
        """Write the summary again, from the predictions of the finished folds; trains nothing.

        Raises:
            StateError: If nothing was ever trained here, or a file is damaged.
        """
        with locked(self.folder.lock_path):
            folds = self._trained_folds(None, -1)
            recorded = recorded_config(self.folder, self.config)
            heads = load_bundle(self.folder.bundle(folds[0], self._stage_index(-1))).spec.heads
            stages = settle_monitors(recorded, recorded.resolve(), heads)
            num_folds = Splits.load(self.folder.folds_path).num_folds
            summary = conclude(self.folder, stages, num_folds, Asked.by(recorded))
            publish_summary(recorded, self.folder, summary)
            return summary

    def predict(
        self,
        inputs: Source | Path | str | Sequence[Path],
        folds: Sequence[int] | None = None,
        stage: int = -1,
        *,
        tta: str | bool = False,
    ) -> Predictions:
        """Predict images with the mean of several folds' models.

        Args:
            inputs: A Source, a folder, a CSV table with paths, or single files.
            folds: Whose models; all finished ones if not given.
            stage: Whose weights; -1 is the last.
            tta: Average over flips: "Horizontal", "Horizontal_and_vertical", True for all four.

        Raises:
            DataError: If there is nothing to predict.
            StateError: If a model is not trained or damaged.
        """
        inputs = Path(inputs) if isinstance(inputs, str) else inputs
        source = inputs if isinstance(inputs, Source) else open_inputs(inputs)
        return self._predict(
            source, folds, stage, views_of(tta or self.config.test_time_augmentation)
        )

    def predict_all(
        self, dataset: Any, folds: Sequence[int] | None = None, stage: int = -1, *, tta: str | bool
    ) -> Floats:
        """Predict every sample of a data set, in its own order; see `predict`.

        Returns:
            Probabilities [N, all classes].

        Raises:
            DataError: If a sample cannot be read, since then rows would not line up.
        """
        source = wrap(dataset, self.progress, labelled=False)
        found = self._predict(
            source, folds, stage, views_of(tta or self.config.test_time_augmentation)
        )
        return require_all(found, source)

    def evaluate(self, stage: int = -1) -> dict[str, Any]:
        """Measure a stage: on all out-of-fold predictions, for each fold, and on the holdout.

        Raises:
            StateError: If no fold has finished this stage.
        """
        index = self._stage_index(stage)
        folds = self._trained_folds(None, stage)
        recorded = recorded_config(self.folder, self.config)
        asked = [*recorded.resolve()[index].metrics, *Asked.by(recorded).finals]
        names = list(dict.fromkeys(asked)) or ["accuracy", "macro_f1"]
        held_out = [self.folder.predictions("holdout", fold, index) for fold in folds]
        found: dict[str, Any] = {
            "oof": compute(out_of_fold(self.folder, folds, index), names),
            "folds": {f: compute(out_of_fold(self.folder, [f], index), names) for f in folds},
        }
        if all(path.exists() for path in held_out):
            found["holdout"] = compute(average([*map(Predictions.load, held_out)]), names)
        return found

    def load_model(self, fold: int = 0, stage: int = -1) -> Classifier:
        """Load the best model of a fold's stage, ready to predict."""
        model = load_model(self.folder, fold, self._stage_index(stage))
        return on_device(model, choices_to_predict(self.folder))

    def _predict(
        self, source: Source, folds: Sequence[int] | None, stage: int, views: Sequence[View]
    ) -> Predictions:
        index = self._stage_index(stage)
        return predict_source(
            self.folder,
            source,
            [(fold, index) for fold in self._trained_folds(folds, stage)],
            config=self.config,
            views=views,
            progress=self.progress,
        )

    def _fit(
        self,
        dataset: Any,
        folds: Sequence[int] | None,
        at_once: AtOnce,
        *,
        reuse: bool,
        until: float | None,
    ) -> Summary:
        started = time.monotonic()
        with recorded_warnings() as said, self._checked(dataset):
            source = self.source(dataset)
            prepared = prepare(source, self.config, self.folder, self.progress, save=True)
            chosen = choose_folds(folds, prepared.splits.num_folds)
            work = self._work(prepared, chosen, reuse=reuse, until=until)
            del prepared  # the audit's rows take more memory than all that is needed of them
            manifest = open_manifest(self.folder, self.config, work.choices, source.notes)
            changed = [*version_warnings(manifest), *code_warnings(manifest, self.config)]
            for line in [*changed, *features_anew(work.stages)]:
                logger.warning(line)
            try:
                stopped = self._run(work, at_once)
                asked = Asked.by(self.config)
                summary = conclude(self.folder, work.stages, work.splits.num_folds, asked)
                publish_summary(self.config, self.folder, summary)
            finally:
                seconds = time.monotonic() - started
                close_manifest(self.folder, manifest, [*self._warnings, *said], seconds)
        return replace(summary, fresh=True, seconds=seconds, stopped=stopped)

    def _run(self, work: Work, at_once: AtOnce) -> bool:
        """Train what is left; says whether time was over before that."""
        left = {plan.fold for plan in work.plans if not plan.done}
        try:
            work, failed = run_leading_frozen(work)
            threads = computing_with(work.choices.threads)
            folds = closing(run_folds(work, self.config, at_once))
            with raised_at_the_end(failed), threads, folds as done:
                for fold in done:
                    if fold in left:
                        self.progress.line(f"fold {fold}: done")
        except TimeOverError:
            return True
        return False

    def source(self, dataset: Any = None) -> Source:
        """Open a data set with its labels, or else the config's own; see `fit`."""
        return assembled(
            self.config,
            dataset,
            allow_imports=self.allow_imports,
            progress=self.progress,
            held_out=self.held_out,
        )

    @contextmanager
    def _checked(self, dataset: Any) -> Iterator[None]:
        """Make sure of the config and its files first, and place errors of the latter in it."""
        if has_begun(self.folder):
            compare_config(self.folder, self.config)
        else:
            check_files(self.config, data=dataset is None)
        with placed_in(self.config):
            yield

    def _work(
        self,
        prepared: Prepared,
        folds: Sequence[int],
        *,
        reuse: bool = True,
        until: float | None = None,
    ) -> Work:
        return make_work(
            self.config,
            self.folder,
            prepared,
            folds,
            progress=self.progress,
            reuse=reuse,
            until=until,
        )

    def _stage_index(self, stage: int) -> int:
        return stage_index(self.folder, self.config, stage)

    def _trained_folds(self, folds: Sequence[int] | None, stage: int) -> tuple[int, ...]:
        return trained_folds(self.folder, self.config, folds, stage)
