"""One stage of one fold: weights in, epochs, best weights out, committed after every epoch."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from fivefold.build import (
    build_class_weights,
    build_loss_function,
    build_stage_optimizer,
    build_stage_schedule,
    build_training_loss,
)
from fivefold.config import ResolvedStage
from fivefold.core.durable import write_bytes
from fivefold.core.errors import NumericError, StateError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.core.progress import Progress
from fivefold.engine.average import Average
from fivefold.engine.best import check_best, forget_best, load_best, save_best
from fivefold.engine.callbacks import Callback, Control, StageInfo, build_callbacks
from fivefold.engine.checkpoint import Bundle, save_bundle, save_trained, save_weights
from fivefold.engine.examples import draw_examples, pick_examples
from fivefold.engine.fold_data import FoldData, plain_batches
from fivefold.engine.grouping import Grouping
from fivefold.engine.history import write_history
from fivefold.engine.loop import Task, train_epoch, validate
from fivefold.engine.pace import Pace
from fivefold.engine.predictor import Place, as_predictions, predict_views
from fivefold.engine.state import TrainState, forget_stage, load_newest, save_commit
from fivefold.engine.tensors import flatten, load_model_tensors, restore
from fivefold.engine.train_examples import draw_train_examples
from fivefold.engine.tta import identity
from fivefold.evaluation import direction, is_better
from fivefold.losses import named_weights
from fivefold.models import Classifier, ModelSpec


@dataclass(frozen=True)
class StageJob:
    """All that a stage needs.

    Attributes:
        folder: Where everything is written.
        stage: What to do.
        fold: 0-based.
        seed: The experiment's seed.
        spec: How the model was built; goes into the bundle.
        model: With the weights to start from; holds the best ones at the end.
        data: The fold's samples.
        config: The experiment's config, for the bundle.
        pace: Counts the epochs of all folds.
        progress: Who watches.
    """

    folder: RunFolder
    stage: ResolvedStage
    fold: int
    seed: int
    spec: ModelSpec
    model: Classifier
    data: FoldData
    config: Mapping[str, Any]
    pace: Pace
    progress: Progress


class StageRun:
    """A stage while it runs.

    Where the backbone is frozen, only the head is committed: the rest is known.

    Args:
        job: What to do. If the fold's state folder has commits of this stage, it goes on there.
        key: Of all that decides the stage's bytes; empty where nobody asks.
    """

    def __init__(self, job: StageJob, key: str = "") -> None:
        self.job = job
        self._key = key
        self.callbacks: list[Callback] = build_callbacks(job.stage.callbacks)
        self.task = replace(build_task(job), on_step=self._stepped)
        self.encoder = job.model.encoder_digest() if job.stage.trains_head_alone else ""
        self._trained = job.model.head if job.stage.trains_head_alone else job.model
        start = TrainState(lr=job.stage.lr, encoder=self.encoder, key=key)
        self.state = self._resumed() or start
        self._kept = self.state.best_epoch
        mode = job.stage.primary_metric_mode
        self.mode = direction(job.stage.primary_metric) if mode == "auto" else mode

    @property
    def running(self) -> bool:
        """Whether an epoch is left."""
        return self.state.epoch < self.job.stage.epochs and not self.state.stopped

    def run(self) -> None:
        """Train to the end, and leave the best weights in the model and on the disk.

        Raises:
            TimeOverError: If the run's time is over before that.
        """
        with self.watched():
            while self.running:
                self.job.pace.stop_if_over()
                self._epoch()
        self.finish()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Tell callbacks that the stage begins, and that it ends, however it does."""
        job, state = self.job, self.state
        info = StageInfo(
            fold=job.fold,
            stage=job.stage.index,
            root=job.folder.root,
            first_epoch=state.epoch,
            rows=tuple(state.rows),
            steps=Grouping.of(self.task.train(state.epoch).parts, job.stage.accumulate).steps,
            save=self._save_epoch,
            draw=partial(draw_train_examples, job.data, job.stage, seed=job.seed, fold=job.fold),
        )
        if state.epoch:
            where = self.task.describe(state.epoch - 1)
            job.progress.line(f"{where}: was finished before; going on from here")
            job.pace.skip(job.stage.index, state.epoch)
        for callback in self.callbacks:
            callback.on_stage_start(info)
        try:
            yield
        finally:
            for callback in self.callbacks:
                callback.on_stage_end()

    def _epoch(self) -> None:
        job, state, started = self.job, self.state, time.monotonic()
        total = job.data.epoch_size(job.stage) + len(job.data.val_rows)
        with job.progress.bar(self.task.describe(state.epoch), total) as advance:
            try:
                row = train_epoch(self.task, state.epoch, state.lr, advance)
                with self.shown():
                    predictions, measured = validate(self.task, state.epoch, advance)
            except NumericError as error:
                if not self.ends_on(error):
                    raise
                return
        self.end_epoch(row | measured, predictions, started)

    def shown(self) -> AbstractContextManager[None]:
        """Let the model be what is validated and saved: averaged, if the stage asks for it."""
        return nullcontext() if self.task.average is None else self.task.average.shown()

    def ends_on(self, error: NumericError) -> bool:
        """Say whether a callback makes this error the end of the stage, which is then marked.

        Nothing is committed: a run that is broken off here meets the same numbers again.
        """
        if self.state.best_epoch < 0 or not any(c.ends_on(error) for c in self.callbacks):
            return False
        self.state.stopped = str(error).partition("\n")[0]
        self._tell_end()
        return True

    def _stepped(self, step: int, loss: float, lr: float) -> None:
        for callback in self.callbacks:
            callback.on_step(step, loss, lr)

    def end_epoch(self, row: dict[str, float], predictions: Predictions, started: float) -> None:
        """Keep an epoch: best so far or not, callbacks, commit, one line.

        Args:
            row: All its numbers.
            predictions: Of the validation fold.
            started: When it began, by `time.monotonic`.
        """
        with self.shown():
            self._keep_if_best(row, predictions)
            self._call_back(row)
        self.state.rows.append(row)
        self.state.epoch += 1
        self._commit()
        self._tell(row, time.monotonic() - started)

    def _keep_if_best(self, row: Mapping[str, float], predictions: Predictions) -> None:
        job, state, value = self.job, self.state, row[self.job.stage.primary_metric]
        best = math.nan if state.best is None else state.best
        if not is_better(value, best, self.mode):
            return
        state.best, state.best_epoch = value, state.epoch
        folder = job.folder.state(job.fold)
        state.best_sha256, state.best_predictions_sha256 = save_best(
            folder, job.stage.index, state.epoch, self._trained, predictions
        )

    def _call_back(self, row: Mapping[str, float]) -> None:
        control = Control(lr=self.state.lr)
        for callback in self.callbacks:
            callback.on_epoch_end(self.state.epoch, row, control)
        self.state.lr, self.state.stopped = control.lr, control.stopped

    def _commit(self) -> None:
        job, state = self.job, self.state
        state.callbacks = [callback.state_dict() for callback in self.callbacks]
        write_history(job.folder.metrics(job.fold, job.stage.index), state.rows)
        tensors, numbers = flatten(self._trained, self.task.optimizer)
        if self.task.average is not None:
            tensors |= self.task.average.tensors()
        folder = job.folder.state(job.fold)
        save_commit(folder, job.stage.index, state, tensors, numbers)
        # The commit before this one is kept too, and names its own best epoch.
        forget_best(folder, job.stage.index, keep=(self._kept, state.best_epoch))
        self._kept = state.best_epoch

    def _resumed(self) -> TrainState | None:
        commit = load_newest(self.job.folder.state(self.job.fold), self.job.stage.index)
        if commit is None:
            return None
        self._check_encoder(commit.state)
        self._check_best(commit.state)
        restore(self._trained, self.task.optimizer, commit.tensors, commit.numbers)
        if self.task.average is not None:
            self.task.average.restore(commit.tensors)
        for callback, remembered in zip(self.callbacks, commit.state.callbacks, strict=True):
            callback.load_state_dict(remembered)
        if commit.state.key != self._key:
            commit.state.key = ""
        return commit.state

    def _check_encoder(self, state: TrainState) -> None:
        if state.encoder != self.encoder:
            msg = (
                f"{self.task.describe(state.epoch)}: expected the frozen backbone that the epochs "
                f"before had, {state.encoder[:12]}, got {self.encoder[:12]}"
            )
            hint = "put the old weights file back, or use a new folder"
            raise StateError(msg, hint=hint, slug="state/weights-changed")

    def _check_best(self, state: TrainState) -> None:
        """Refuse before the first epoch, not after the last, if what is to be kept is damaged."""
        if state.best_epoch < 0:
            return
        folder = self.job.folder.state(self.job.fold)
        sha256 = (state.best_sha256, state.best_predictions_sha256)
        try:
            check_best(folder, self.job.stage.index, state.best_epoch, sha256)
        except StateError as error:
            hint = f"restore the file, or delete {folder} to train this stage again"
            raise StateError(str(error), hint=hint, slug=error.slug) from error

    def _tell(self, row: Mapping[str, float], seconds: float) -> None:
        primary = self.job.stage.primary_metric
        shown = dict.fromkeys(("loss", "val_loss", primary))
        numbers = "  ".join(f"{name} {row[name]:.4f}" for name in shown)
        best = "  best" if self.state.best_epoch == self.state.epoch - 1 else ""
        where = self.task.describe(self.state.epoch - 1)
        stage, progress = self.job.stage, self.job.progress
        pace = self.job.pace.tick(stage.index, seconds)
        progress.line(f"{where}  {numbers}  {seconds:.1f} s  ({pace}){best}")
        if self.state.stopped:
            self._tell_end()

    def _tell_end(self) -> None:
        stage, state = self.job.stage, self.state
        where = self.task.describe(max(state.epoch - 1, 0))
        self.job.progress.line(f"{where}: stopped early: {state.stopped}")
        self.job.pace.skip(stage.index, stage.epochs - state.epoch)

    def finish(self) -> None:
        """Leave the best weights in the model, and all results of the stage on the disk."""
        job, state, place = self.job, self.state, (self.job.fold, self.job.stage.index)
        if state.best_epoch < 0:
            msg = (
                f"fold {job.fold}, stage {job.stage.index}: expected a number for "
                f"{job.stage.primary_metric!r} in some epoch, got NaN in all"
            )
            hint = "choose another `primary_metric`: this one is undefined on the validation fold"
            raise NumericError(msg, hint=hint, slug="numeric/metric")
        sha256 = (state.best_sha256, state.best_predictions_sha256)
        folder = job.folder.state(job.fold)
        tensors, predictions = load_best(folder, job.stage.index, state.best_epoch, sha256)
        load_model_tensors(self._trained, tensors)
        frozen = job.stage.trains_head_alone
        weights_sha256, encoder_sha256 = save_trained(job.folder, *place, job.model, frozen=frozen)
        write_bytes(job.folder.predictions("validation", *place), predictions)
        if len(job.data.left_out):
            self._predict_all()
        self._draw_examples()
        described = self._described(state.best_epoch, state.rows[state.best_epoch], weights_sha256)
        bundle = replace(described, encoder_sha256=encoder_sha256)
        save_bundle(job.folder.bundle(*place), bundle)
        forget_running(folder, job.stage.index)

    def _predict_all(self) -> None:
        """Predict the whole validation fold where epochs have measured a part of it."""
        job, data = self.job, self.job.data
        rows = data.whole_val_rows
        batches = plain_batches(data.images, rows, job.stage, data.threads)
        what = f"fold {job.fold}, stage {job.stage.index}: samples that were left out"
        with job.progress.bar(what, len(rows)) as advance:
            probs = predict_views(job.model, batches, [identity], advance)
        place = Place(job.fold, job.stage.index)
        found = as_predictions(job.model.heads, data.table, rows, probs, place)
        found.save(job.folder.predictions("validation", job.fold, job.stage.index))

    def _described(self, epoch: int, row: Mapping[str, float], sha256: str) -> Bundle:
        job = self.job
        return Bundle(
            spec=job.spec,
            input_spec=job.model.input_spec,
            sha256=sha256,
            fold=job.fold,
            stage=job.stage.index,
            epoch=epoch,
            metrics=row,
            origin=job.model.origin,
            config=job.config,
            class_weights=self.task.class_weights,
        )

    def _save_epoch(self, stem: Path, epoch: int, row: Mapping[str, float]) -> None:
        """Write the whole model for a callback, and what describes it."""
        sha256 = save_weights(stem.with_suffix(".safetensors"), self.job.model)
        save_bundle(stem.with_suffix(".json"), self._described(epoch, row, sha256))

    def _draw_examples(self) -> None:
        job, place = self.job, (self.job.fold, self.job.stage.index)
        predictions = Predictions.load(job.folder.predictions("validation", *place))
        chosen = pick_examples(predictions)
        rows = job.data.whole_val_rows
        images = [job.data.images.get(rows[i]) for i in chosen]
        picture = draw_examples(images, predictions.take(chosen))
        write_bytes(job.folder.examples(*place) / "validation.png", picture)


def forget_running(folder: Path, stage: int) -> None:
    """Remove what a stage needed only while it ran."""
    forget_stage(folder, stage)
    forget_best(folder, stage)


def build_task(job: StageJob) -> Task:
    """Make what the loop needs of a stage; sets what of the model is frozen."""
    stage, model = job.stage, job.model
    model.freeze(
        encoder=stage.frozen,
        batchnorm=stage.freeze_batchnorm,
        layers_to_train=stage.layers_to_train,
    )
    trained = model.head if stage.trains_head_alone else model
    weights = build_class_weights(stage, model.heads, job.data.class_counts)
    return Task(
        seed=job.seed,
        fold=job.fold,
        stage=stage,
        data=job.data,
        model=model,
        loss=build_training_loss(stage, model, weights),
        val_loss=build_loss_function(stage, model.heads),
        optimizer=build_stage_optimizer(stage, model),
        schedule=build_stage_schedule(stage),
        train=job.data.train_batches(stage, seed=job.seed, fold=job.fold),
        val=job.data.val_batches(stage),
        average=Average(trained, stage.ema) if stage.ema else None,
        class_weights=named_weights(model.heads, weights),
    )
