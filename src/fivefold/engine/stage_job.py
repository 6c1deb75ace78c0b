"""What a stage of a fold needs, and what the loop needs of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fivefold.build import (
    build_class_weights,
    build_loss_function,
    build_losses_of_heads,
    build_stage_optimizer,
    build_stage_schedule,
    build_training_loss,
)
from fivefold.config import ResolvedStage
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.engine.answers import Answers, ClassAnswers
from fivefold.engine.average import Average
from fivefold.engine.fold_data import FoldData
from fivefold.engine.loop import Task
from fivefold.engine.mask_answers import MaskAnswers
from fivefold.engine.pace import Pace
from fivefold.engine.predictor import Place
from fivefold.losses import HeadWeights, named_weights
from fivefold.losses.prior import prior_shift
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


def build_task(job: StageJob) -> Task:
    """Make what the loop needs of a stage; sets what of the model is frozen."""
    stage, model = job.stage, job.model
    model.freeze(
        encoder=stage.frozen,
        batchnorm=stage.freeze_batchnorm,
        layers_to_train=stage.layers_to_train,
    )
    trained = model.head if stage.trains_head_alone else model
    weights = build_class_weights(stage, model.heads, partial(job.data.counts_for, stage))
    model.head.shift_by(_prior_shift(job, weights))
    return Task(
        seed=job.seed,
        fold=job.fold,
        stage=stage,
        data=job.data,
        model=model,
        loss=build_training_loss(stage, model, weights),
        answers=_answers(job),
        optimizer=build_stage_optimizer(stage, model),
        schedule=build_stage_schedule(stage),
        train=job.data.train_batches(stage, seed=job.seed, fold=job.fold),
        val=job.data.val_batches(stage),
        average=Average(trained, stage.ema) if stage.ema else None,
        class_weights=named_weights(model.heads, weights),
    )


def _answers(job: StageJob) -> Answers:
    """Say what is asked of a batch, and measured of the answers."""
    heads, place = job.model.heads, Place(job.fold, job.stage.index)
    if job.stage.makes_masks:
        loss = build_loss_function(job.stage, heads)
        return MaskAnswers(heads[0], job.data.table, place, loss)
    return ClassAnswers(
        heads=heads,
        table=job.data.table,
        place=place,
        loss=build_loss_function(job.stage, heads),
        head_losses=build_losses_of_heads(job.stage, heads),
    )


def _prior_shift(job: StageJob, weights: Sequence[HeadWeights]) -> tuple[float, ...]:
    """Compute what corrects predictions for `balance`, from the fold's training samples."""
    if not job.stage.prior_correction:
        return ()
    if job.stage.makes_masks:  # all images are drawn
        counts, _ = job.data.pixel_counts()
        return prior_shift(job.model.heads, weights, counts, counts)
    counts, _ = job.data.class_counts()
    return prior_shift(job.model.heads, weights, counts, job.data.drawn_counts(job.stage))
