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
from fivefold.core.progress import Progress, Silent
from fivefold.data import Source
from fivefold.data.splits import Splits
from fivefold.engine.checkpoint import load_bundle
from fivefold.engine.device import computing_with
from fivefold.engine.lr_finder import EVERY_RATE, LRFinder, Sweep
from fivefold.engine.pace import TimeOverError
from fivefold.evaluation.assessment import Assessment
from fivefold.evaluation.label_errors import Ranking
from fivefold.evaluation.mask_assessment import MaskAssessment
from fivefold.experiment.asked import Asked
from fivefold.experiment.assembling import assembled
from fivefold.experiment.assessing import assess_run, measured
from fivefold.experiment.checks import CheckReport, inspect
from fivefold.experiment.datasets import Prepared, prepare
from fivefold.experiment.decisions import Wishes
from fivefold.experiment.executors import AtOnce, check_at_once, run_folds
from fivefold.experiment.explains import Explains
from fivefold.experiment.failures import raised_at_the_end
from fivefold.experiment.finished import (
    compare_config,
    decided_again,
    finished_summary,
    recorded_config,
)
from fivefold.experiment.frozen import features_anew, run_leading_frozen
from fivefold.experiment.loading import load_checked, settle_monitors
from fivefold.experiment.lr_finding import find_learning_rate
from fivefold.experiment.manifest import (
    close_manifest,
    code_warnings,
    open_manifest,
    version_warnings,
)
from fivefold.experiment.mask_files import predict_held_out_masks
from fivefold.experiment.mask_truth import assess_new_masks, check_known_masks, refuse_tiles
from fivefold.experiment.named_files import check_files, placed_in
from fivefold.experiment.new_truth import assess_new, check_known, open_labelled
from fivefold.experiment.plan import choose_folds, has_begun
from fivefold.experiment.predicting import Predicting
from fivefold.experiment.publishing import publish_summary
from fivefold.experiment.repeats import fit_repeats
from fivefold.experiment.results import conclude
from fivefold.experiment.run_record import recorded_warnings
from fivefold.experiment.summary import Summary
from fivefold.experiment.suspects import SuspectTable, find_suspects
from fivefold.experiment.trained_on import with_trained_on
from fivefold.experiment.work import Work
from fivefold.experiment.work_making import make_work

logger = logging.getLogger(__name__)


class Experiment(Explains, Predicting):
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
        super().__init__(config, folder, progress or Silent())
        self._warnings = tuple(warnings)
        self.allow_imports = allow_imports
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
                return decided_again(self.folder, self.config, finished, self.progress)
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
            summary = conclude(
                self.folder,
                stages,
                num_folds,
                Asked.by(recorded),
                Wishes.by(self.config),
                self.progress,
            )
            publish_summary(recorded, self.folder, summary)
            return summary

    def evaluate(self, stage: int = -1) -> dict[str, Any]:
        """Measure a stage: on all out-of-fold predictions, for each fold, and on the holdout.

        Raises:
            StateError: If no fold has finished this stage.
        """
        return measured(self.folder, self.config, stage)

    def assess(
        self,
        data: Source | Path | str | None = None,
        *,
        holdout: bool = False,
        stage: int = -1,
        tta: str | bool = False,
        tiles: float | bool = False,
    ) -> Assessment | MaskAssessment:
        """Measure a stage in every common way, with intervals; see `evaluation.assess`.

        Masks are measured by `evaluation.mask_assessment.assess_masks`: those of training at the
        network's size, those of new images at their own.

        Args:
            data: New samples with labels: a Source, a folder of classes, a table, a COCO file, of
                masks a folder with images and masks. If not given, the predictions of training are
                measured.
            holdout: The holdout's instead of those out of fold.
            stage: Whose weights; -1 is the last.
            tta: With `data`: as for `predict`.
            tiles: With `data` of masks: as for `predict_masks`.

        Raises:
            ConfigError: If there are tiles without `data`.
            DataError: If the samples have no labels, or other classes than the model.
            StateError: If no fold has finished this stage, or there is no holdout.
        """
        if data is None:
            refuse_tiles(tiles)
            return assess_run(self.folder, self.config, stage, holdout=holdout)
        if tiles is not False:
            self._check_task(masks=True)
        source = open_labelled(self.config, data)
        fold = self._trained_folds(None, stage)[0]
        bundle = load_bundle(self.folder.bundle(fold, self._stage_index(stage)))
        if bundle.spec.makes_masks:
            check_known_masks(bundle.spec.heads[0], source)
            masks = self.predict_masks(source, stage=stage, tta=tta, raw=True, tiles=tiles)
            measured_masks = assess_new_masks(masks, source, self.config.seed)
            return with_trained_on(self.folder, self.config, stage, source, measured_masks)
        check_known(bundle.spec.heads, source)
        found = self.predict(source, stage=stage, tta=tta, raw=True)
        assessment = assess_new(found, source, self.config.seed)
        return with_trained_on(self.folder, self.config, stage, source, assessment)

    def suspects(self, stage: int = -1, *, ranking: Ranking | None = None) -> SuspectTable:
        """Find labels that may be wrong: models contradict them that have not seen the sample.

        Args:
            stage: Whose predictions; -1 is the last.
            ranking: "own" or "cleanlab", which say the same; if not given, cleanlab where it is
                installed.

        Returns:
            The suspects, the worst first, and how many labels are wrong; `save` writes a table that
            can be edited and named in `dataset: {corrections: …}`.

        Raises:
            StateError: If no fold has finished this stage.
            MissingExtraError: If cleanlab is asked for and not installed.
        """
        return find_suspects(
            self.folder,
            self.config,
            stage,
            ranking=ranking,
            allow_imports=self.allow_imports,
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
            self.trained_on = source = self.source(dataset)
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
                predict_held_out_masks(work)
                asked, wishes = Asked.by(self.config), Wishes.by(self.config)
                num_folds, told = work.splits.num_folds, self.progress
                summary = conclude(self.folder, work.stages, num_folds, asked, wishes, told)
                publish_summary(self.config, self.folder, summary)
            finally:
                seconds = time.monotonic() - started
                said_in_all = [*self._warnings, *said]
                close_manifest(self.folder, manifest, said_in_all, seconds, work.pace.spent)
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
