"""One fold: its stages in order, each from the best weights of the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.config import ResolvedStage
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.seeding import seed_for
from fivefold.data.images import ResizedImages
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import on_device
from fivefold.engine.fold_data import FoldData, plain_batches
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.engine.pace import Pace
from fivefold.engine.predictor import Place, as_predictions, predict_views
from fivefold.engine.stage import StageJob, StageRun, forget_running
from fivefold.engine.tta import identity
from fivefold.experiment.plan import Job
from fivefold.models import Classifier, ModelSpec, build_classifier


@dataclass(frozen=True)
class Work:
    """What all folds of an experiment share.

    Attributes:
        folder: The experiment's folder.
        stages: What to do, in order.
        spec: The model.
        weights: Where a new model's weights come from: "imagenet", "none" or a path.
        seed: The experiment's seed.
        directory: Where relative paths of the config start.
        config: The config, for the bundles.
        table: All used samples.
        images: Their pixels.
        splits: Which sample is in which fold.
        jobs: What is left to do of each fold that was asked for.
        threads: How many decode and augment ahead.
        pace: Counts the epochs of all folds.
        progress: Who watches.
    """

    folder: RunFolder
    stages: tuple[ResolvedStage, ...]
    spec: ModelSpec
    weights: str
    seed: int
    directory: Path
    config: Mapping[str, Any]
    table: SampleTable
    images: ResizedImages
    splits: Splits
    jobs: tuple[Job, ...]
    threads: int
    pace: Pace
    progress: Progress


def run_fold(work: Work, job: Job) -> int:
    """Train what is left of a fold; returns the fold."""
    for finished in range(job.first_stage):
        forget_running(work.folder.state(job.fold), finished)
    if not job.done:
        model = _starting_model(work, job)
        data = fold_data(work, job.fold)
        for stage in work.stages[job.first_stage :]:
            if stage.initial_weights:
                load_initial_weights(model, work.directory / stage.initial_weights)
            StageRun(stage_job(work, stage, model, data, job.fold)).run()
    _predict_holdout(work, job.fold)
    _remove_empty(work.folder.state(job.fold))
    return job.fold


def stage_job(
    work: Work, stage: ResolvedStage, model: Classifier, data: FoldData, fold: int
) -> StageJob:
    """Collect all that one stage of one fold needs."""
    return StageJob(
        folder=work.folder,
        stage=stage,
        fold=fold,
        seed=work.seed,
        spec=work.spec,
        model=model,
        data=data,
        config=work.config,
        pace=work.pace,
        progress=work.progress,
    )


def fold_data(work: Work, fold: int) -> FoldData:
    """Collect one fold's samples."""
    row_of = {sample_id: row for row, sample_id in enumerate(work.table.ids)}
    return FoldData(
        table=work.table,
        images=work.images,
        train_rows=[row_of[sample_id] for sample_id in work.splits.train_ids(fold)],
        val_rows=[row_of[sample_id] for sample_id in work.splits.val_ids(fold)],
        threads=work.threads,
    )


def new_model(work: Work, fold: int) -> Classifier:
    """Build the model that a fold starts from: pretrained as asked, its head drawn by seed.

    Raises:
        StateError: If the pretrained weights are not those that other folds have started from.
    """
    model = build_classifier(
        work.spec,
        weights=work.weights,
        directory=work.directory,
        generator_seed=seed_for(work.seed, "head", fold),
    )
    _check_origin(work, model)
    return model


def _check_origin(work: Work, model: Classifier) -> None:
    for path in sorted(work.folder.bundle(0, 0).parent.glob("best-*.0.json")):
        before, now = load_bundle(path).origin, model.origin
        if before.sha256 != now.sha256:
            msg = (
                f"weights: expected those that other folds started from, {before.description} "
                f"{before.sha256[:12]}, got {now.description} {now.sha256[:12]}"
            )
            hint = "put the old file back, or use a new folder"
            raise StateError(msg, hint=hint, slug="state/weights-changed")


def _starting_model(work: Work, job: Job) -> Classifier:
    if job.first_stage:
        model = load_model(work.folder, job.fold, job.first_stage - 1)
    else:
        model = new_model(work, job.fold)
    return on_device(model)


def _remove_empty(folder: Path) -> None:
    """Remove a finished fold's state folder, and the one around it after the last fold."""
    for path in (folder, folder.parent):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _predict_holdout(work: Work, fold: int) -> None:
    last = len(work.stages) - 1
    path = work.folder.predictions("holdout", fold, last)
    held_out = set(work.splits.holdout_ids)
    if not held_out or path.exists():
        return
    rows = [row for row, sample_id in enumerate(work.table.ids) if sample_id in held_out]
    model = on_device(load_model(work.folder, fold, last))
    # The batch of training: `inference_batch` may change between two starts, these bytes may not.
    batches = plain_batches(work.images, rows, work.stages[last].batch, work.threads)
    with work.progress.bar(f"fold {fold}: holdout", len(rows)) as advance:
        probs = predict_views(model, batches, [identity], advance)
    place = Place(fold, last)
    as_predictions(model.heads, work.table, rows, probs, place).save(path)
