"""One fold: its stages in order, each from the best weights of the one before."""

from pathlib import Path

from fivefold.build import sees_features
from fivefold.engine.checkpoint import load_model
from fivefold.engine.device import on_device
from fivefold.engine.finding import find
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.engine.predictor import Place
from fivefold.engine.stage import StageRun
from fivefold.engine.stage_results import forget_running
from fivefold.experiment.failures import raise_first
from fivefold.experiment.frozen import run_frozen
from fivefold.experiment.mask_files import leave_maps
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.work import Work, fold_data, stage_job, starting_model
from fivefold.models import Classifier


def run_fold(work: Work, plan: FoldPlan) -> int:
    """Train what is left of a fold; returns the fold.

    Raises:
        TimeOverError: If the run's time is over before that.
    """
    for finished in range(plan.first_stage):
        forget_running(work.folder.state(plan.fold), finished)
    if not plan.done:
        model: Classifier | None = None
        for stage in work.stages[plan.first_stage :]:
            work.pace.stop_if_over()
            model = model or starting_model(work, plan)
            if sees_features(stage):
                raise_first(run_frozen(work, stage, {plan.fold: model}))
                continue
            work.features.forget()
            if stage.initial_weights:
                load_initial_weights([model], work.directory / stage.initial_weights)
            own = stage_job(work, stage, model, fold_data(work, plan.fold, stage), plan.fold)
            if not work.reuse.take(own):
                run = StageRun(own, work.reuse.key(own))
                run.run()
                work.reuse.give(own, run.state.key)
    if work.stages[-1].makes_masks:
        leave_maps(work, plan.fold)
    else:
        _predict_holdout(work, plan.fold)
    remove_empty(work.folder.state(plan.fold))
    return plan.fold


def remove_empty(folder: Path) -> None:
    """Remove a finished fold's state folder."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _predict_holdout(work: Work, fold: int) -> None:
    last = len(work.stages) - 1
    path = work.folder.predictions("holdout", fold, last)
    held_out = set(work.splits.holdout_ids)
    if not held_out or path.exists():
        return
    rows = [row for row, sample_id in enumerate(work.table.ids) if sample_id in held_out]
    model = on_device(load_model(work.folder, fold, last), work.choices)
    with work.progress.bar(f"fold {fold}: holdout", len(rows)) as advance:
        # In batches of training: `inference_batch` may change between two starts, these bytes not.
        found = find(
            model,
            work.images,
            rows,
            work.stages[last],
            Place(fold, last),
            threads=work.threads,
            advance=advance,
        )
    found.save(path)
