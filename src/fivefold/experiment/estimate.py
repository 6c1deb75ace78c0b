"""How long a run will take: from a few steps of it, and from what comes around them."""

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fivefold.build import num_views, sees_features
from fivefold.config import ResolvedStage
from fivefold.core.durable import write_bytes
from fivefold.engine.device import computing_with
from fivefold.engine.fold_data import FoldData
from fivefold.engine.loop import answers_of, train_epoch
from fivefold.engine.stage_job import build_task
from fivefold.experiment.executors import how_many
from fivefold.experiment.work import Work, fold_data, stage_job
from fivefold.models import Classifier

_TRIED_BATCHES = 3
_TRIED_SECONDS = 0.5  # a step of a small net is too short to be timed once

# Seconds of one core of 2024, whatever the net is.
_EACH_EPOCH = 0.04  # metrics, tables, callbacks
_EACH_STAGE = 1.0  # of a fold: the best weights, predictions, pictures of examples
_AT_THE_END = 3.0  # summary, curves and report
_BESIDE_OTHERS = 1.2  # times as long: folds at once share memory and caches
_LONGEST_START = 20.0  # a process that has computed for longer has done something else before
_WRITTEN = 8_000_000  # bytes; what is larger takes longer in proportion
_COPIES = 3  # what an epoch commits: weights, and two moments of each as in Adam


def run_seconds(work: Work, model: Classifier) -> float:
    """Estimate the time from start to report of a run of all stages of all folds.

    Args:
        work: What to do.
        model: On its device; it learns a little.
    """
    start = min(time.process_time(), _LONGEST_START)
    return start + _training_seconds(work, model) + _AT_THE_END


def _training_seconds(work: Work, model: Classifier) -> float:
    num_folds = work.splits.num_folds
    with computing_with(work.choices.threads):
        at_once = how_many(None, num_folds)
    rounds = math.ceil(num_folds / at_once) * (_BESIDE_OTHERS if at_once > 1 else 1.0)
    commit = _commit_seconds(model) + _EACH_EPOCH
    num_images = sum(len(rows) for rows in work.splits.rows(work.table, 0))
    tried: dict[tuple[int | bool, ...], float] = {}
    seconds, shared = 0.0, True
    with work.progress.bar("trying a few steps", len(work.stages)) as advance:
        for stage in work.stages:
            shared = shared and sees_features(stage)
            frozen = (stage.frozen, stage.freeze_batchnorm, stage.layers_to_train)
            kind = (stage.batch, *frozen, sees_features(stage))
            if kind not in tried:
                tried[kind] = _tried(work, model, stage, fold_data(work, 0, stage))
            if sees_features(stage):
                # Beside the features, the heads take next to nothing; they are trained here.
                passes = (1 + num_views(stage)) * num_images * (1 if shared else num_folds)
                seconds += passes * tried[kind]
                seconds += num_folds * (stage.epochs * _EACH_EPOCH + _EACH_STAGE)
            else:
                seconds += rounds * (stage.epochs * (tried[kind] + commit) + _EACH_STAGE)
            advance(1)
    return seconds


def _tried(work: Work, model: Classifier, stage: ResolvedStage, data: FoldData) -> float:
    """Time a little of a stage: seconds for an epoch of a fold, or for one image's features."""
    few = slice(0, _TRIED_BATCHES * stage.batch)
    less = replace(data, train_rows=data.train_rows[few], val_rows=data.val_rows[few])
    task = build_task(stage_job(work, stage, model, less, 0))

    def train() -> None:
        train_epoch(task, 0, stage.lr, _ignore)

    def validate() -> None:
        answers_of(task, _ignore)

    if sees_features(stage):
        return _seconds(validate) / len(less.val_rows)
    with computing_with(work.choices.threads):
        training = _seconds(train) * data.epoch_size(stage) / less.epoch_size(stage)
        validation = _seconds(validate) * len(data.val_rows) / len(less.val_rows)
    return training + validation


def _commit_seconds(model: Classifier) -> float:
    """Time how long it takes to write what an epoch commits, outside of the experiment."""
    size: int = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    part = bytes(min(size, _WRITTEN))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "commit")
        return _COPIES * _seconds(lambda: write_bytes(path, part)) * size / max(len(part), 1)


def _seconds(work: Callable[[], object]) -> float:
    """Time one of several calls; the first warms up."""
    work()
    started, calls = time.monotonic(), 0
    while not calls or time.monotonic() - started < _TRIED_SECONDS:
        work()
        calls += 1
    return (time.monotonic() - started) / calls


def _ignore(steps: int) -> None:
    """Nobody watches the trial."""
