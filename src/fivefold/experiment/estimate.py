"""How long a run will take, from a few steps of it."""

import time
from collections.abc import Callable
from dataclasses import replace

from fivefold.build import num_views, sees_features
from fivefold.config import ResolvedStage
from fivefold.engine.device import computing_with
from fivefold.engine.fold_data import FoldData
from fivefold.engine.loop import train_epoch
from fivefold.engine.predictor import predict_logits
from fivefold.engine.stage_job import build_task
from fivefold.experiment.executors import how_many
from fivefold.experiment.work import Work, fold_data, stage_job
from fivefold.models import Classifier

_TRIED_BATCHES = 3


def run_seconds(work: Work, model: Classifier) -> float:
    """Estimate the time of all stages of all folds.

    Args:
        work: What to do.
        model: On its device; it learns a little.
    """
    num_folds = work.splits.num_folds
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
                # Beside the features, the heads take next to nothing.
                passes = (1 + num_views(stage)) * num_images * (1 if shared else num_folds)
            else:
                passes = stage.epochs * num_folds
            seconds += passes * tried[kind]
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
        predict_logits(task.model, task.val, _ignore)

    if sees_features(stage):
        return _seconds(validate) / len(less.val_rows)
    with computing_with(work.choices.threads):
        at_once = how_many(None, work.splits.num_folds)
        training = _seconds(train) * data.epoch_size(stage) / less.epoch_size(stage)
        validation = _seconds(validate) * len(data.val_rows) / len(less.val_rows)
    return (training + validation) / at_once


def _seconds(work: Callable[[], None]) -> float:
    """Time the second of two calls; the first warms up."""
    work()
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _ignore(steps: int) -> None:
    """Nobody watches the trial."""
