"""One stage of one fold: weights in, epochs, best weights out, committed after every epoch."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

from fivefold.core.digits import few_digits
from fivefold.core.errors import NumericError, StateError
from fivefold.core.found import Found
from fivefold.engine.best import check_best, forget_best, save_best
from fivefold.engine.callbacks import (
    Callback,
    Control,
    StageInfo,
    Validation,
    build_callbacks,
)
from fivefold.engine.grouping import Grouping
from fivefold.engine.history import write_history
from fivefold.engine.loop import train_epoch, validate
from fivefold.engine.stage_job import StageJob, build_task
from fivefold.engine.stage_results import StageResults
from fivefold.engine.state import TrainState, load_newest, save_commit
from fivefold.engine.tensors import flatten, restore
from fivefold.engine.train_examples import draw_train_examples
from fivefold.evaluation import direction, is_better


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
        self._results = StageResults(job, self.task.class_weights)
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
            save=self._results.save_epoch,
            draw=partial(draw_train_examples, job.data, job.stage, seed=job.seed, fold=job.fold),
            epochs=job.stage.epochs,
            config=job.config,
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

    def end_epoch(self, row: dict[str, float], predictions: Found, started: float) -> None:
        """Keep an epoch: best so far or not, callbacks, commit, one line.

        Args:
            row: All its numbers.
            predictions: Of the validation fold.
            started: When it began, by `time.monotonic`.
        """
        found = Validation(
            predictions,
            pictures=self._results.pictures,
            draw_mistakes=partial(self._results.draw_mistakes, predictions),
            images=self.job.data.epoch_size(self.job.stage) + len(predictions),
            seconds=time.monotonic() - started,
        )
        with self.shown():
            self._keep_if_best(row, predictions)
            self._results.draw_epoch(self.state.epoch, predictions)
            self._call_back(row, found)
        self.state.rows.append(row)
        self.state.epoch += 1
        self._commit()
        self._tell(row, time.monotonic() - started)

    def _keep_if_best(self, row: Mapping[str, float], predictions: Found) -> None:
        job, state, value = self.job, self.state, row[self.job.stage.primary_metric]
        best = math.nan if state.best is None else state.best
        if not is_better(value, best, self.mode):
            return
        state.best, state.best_epoch = value, state.epoch
        folder = job.folder.state(job.fold)
        state.best_sha256, state.best_predictions_sha256 = save_best(
            folder, job.stage.index, state.epoch, self._trained, predictions
        )

    def _call_back(self, row: Mapping[str, float], found: Validation) -> None:
        control = Control(lr=self.state.lr)
        for callback in self.callbacks:
            callback.on_validation(self.state.epoch, found)
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
        numbers = "  ".join(f"{name} {few_digits(row[name])}" for name in shown)
        best = "  best" if self.state.best_epoch == self.state.epoch - 1 else ""
        where = self.task.describe(self.state.epoch - 1)
        stage, progress = self.job.stage, self.job.progress
        pace = self.job.pace.tick(stage.index, seconds, fold=self.job.fold)
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
        self._results.write(self.state, self._trained)
