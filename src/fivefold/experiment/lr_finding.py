"""The learning-rate finder on a stage of an experiment; the experiment's folder stays as it is."""

from fivefold.engine.checkpoint import load_model
from fivefold.engine.device import computing_with, on_device
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.engine.lr_finder import LRFinder, Sweep, find_rates, steps_of
from fivefold.engine.stage_job import build_task
from fivefold.experiment.work import Work, fold_data, new_model, stage_job


def find_learning_rate(work: Work, fold: int, stage: int, sweep: Sweep) -> LRFinder:
    """Try learning rates where a stage of a fold would begin.

    Args:
        work: The experiment's data, model and stages.
        fold: 0-based.
        stage: 0-based; those before it must be trained.
        sweep: The rates.

    Raises:
        StateError: If the stage before is not trained.
        NumericError: If the first loss, before any step, is NaN or infinite.
        ResourceError: If memory runs out.
    """
    chosen = work.stages[stage]
    model = load_model(work.folder, fold, stage - 1) if stage else new_model(work, fold)
    model = on_device(model, work.choices)
    if chosen.initial_weights:
        load_initial_weights([model], work.directory / chosen.initial_weights)
    task = build_task(stage_job(work, chosen, model, fold_data(work, fold, chosen), fold))
    what = f"fold {fold}, stage {stage}: learning rates"
    with (
        computing_with(work.choices.threads),
        work.progress.bar(what, steps_of(task, sweep)) as advance,
    ):
        return find_rates(task, sweep, advance)
