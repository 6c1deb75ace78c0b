"""What a run that predicts masks leaves beside their scores: maps, and what holds of a holdout."""

from fivefold.data.given_folds import HOLDOUT
from fivefold.engine.checkpoint import load_model
from fivefold.engine.device import computing_with, on_device
from fivefold.engine.fold_data import plain_batches
from fivefold.engine.map_files import map_samples
from fivefold.engine.predictor import Place
from fivefold.experiment.plan import make_plan
from fivefold.experiment.work import Work
from fivefold.models import Classifier


def leave_maps(work: Work, fold: int) -> None:
    """Write the maps of a fold's stages that are not there, by their best weights.

    They are of the whole validation fold, also of samples that a stage leaves out.

    Raises:
        ResourceError: If one cannot be written.
        StateError: If weights are damaged.
    """
    if not work.keep_maps:
        return
    _, rows = work.splits.rows(work.table, fold)
    for stage in work.stages:
        path = work.folder.maps("validation", fold, stage.index)
        if path.exists():
            continue
        batches = plain_batches(work.images, rows, stage, work.threads)
        what = f"fold {fold}, stage {stage.index}: maps"
        with work.progress.bar(what, len(rows)) as advance:
            models, place = [_loaded(work, fold, stage.index)], Place(fold, stage.index)
            map_samples(models, batches, work.table, rows, place, advance, path)


def predict_held_out_masks(work: Work) -> None:
    """Predict the holdout by all folds' models together, once they are all trained.

    Other than with classes, scores of single models are of no use for that: pixels have to be
    averaged.

    Raises:
        ResourceError: If a file cannot be written.
        StateError: If weights are damaged.
    """
    stage, num_folds = work.stages[-1], work.splits.num_folds
    scores = work.folder.ensemble_scores(stage.index)
    maps = work.folder.ensemble_maps(stage.index) if work.keep_maps else None
    _, rows = work.splits.rows(work.table, HOLDOUT)
    plans = make_plan(work.folder, range(num_folds), len(work.stages))
    there = scores.exists() and (maps is None or maps.exists())
    if not stage.makes_masks or not len(rows) or there or not all(plan.done for plan in plans):
        return
    batches = plain_batches(work.images, rows, stage, work.threads)
    with (
        computing_with(work.choices.threads),
        work.progress.bar("holdout", len(rows)) as advance,
    ):
        models = [_loaded(work, fold, stage.index) for fold in range(num_folds)]
        place = Place(-1, stage.index)
        found = map_samples(models, batches, work.table, rows, place, advance, maps)
    found.save(scores)


def _loaded(work: Work, fold: int, stage: int) -> Classifier:
    return on_device(load_model(work.folder, fold, stage), work.choices)
