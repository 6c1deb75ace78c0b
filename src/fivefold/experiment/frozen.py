"""Stages whose backbone is frozen: features once, then the heads of all folds together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from fivefold.build import sees_features, why_anew
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cache_home import cache_home
from fivefold.core.choices import Choices
from fivefold.core.errors import NumericError
from fivefold.core.seeding import seed_for
from fivefold.engine.device import computing_with, on_device
from fivefold.engine.feature_files import FeatureFiles
from fivefold.engine.features import Features, FeatureWork, compute_features, rows_of
from fivefold.engine.heads_together import run_heads
from fivefold.engine.initial_weights import load_initial_weights
from fivefold.engine.stage import StageRun
from fivefold.engine.stage_job import StageJob
from fivefold.experiment.failures import others_go_on
from fivefold.experiment.own_code import is_code_known
from fivefold.experiment.plan import FoldPlan
from fivefold.experiment.stage_key import versions
from fivefold.experiment.surroundings import surroundings
from fivefold.experiment.work import Work, fold_data, stage_job, starting_model
from fivefold.models import Classifier, ModelSpec, with_new_head
from fivefold.models.weights import NONE

_OF_HEADS = ("heads", "dropout", "hidden")
"""What of a model's description says nothing about its backbone."""

_WITH_GRADIENTS = 3  # passes forward that one with its gradients is worth


def run_leading_frozen(work: Work) -> tuple[Work, dict[int, NumericError]]:
    """Train the stages that all folds begin with a frozen backbone.

    Returns:
        What is left, without the folds that have failed; and those, with the reason of each.
    """
    models: dict[int, Classifier] = {}
    failed: dict[int, NumericError] = {}
    work.pace.expect(_passes(work))
    for stage in work.stages:
        if not sees_features(stage):
            break
        plans = [plan for plan in work.plans if plan.first_stage == stage.index]
        if plans:
            work.pace.stop_if_over()
            for plan in plans:
                if plan.fold not in models:
                    models[plan.fold] = _model(work, stage, plan, list(models.values()))
            failed |= run_frozen(work, stage, {plan.fold: models[plan.fold] for plan in plans})
        left = [plan for plan in work.plans if plan.fold not in failed]
        work = replace(work, plans=tuple(_after(plan, stage) for plan in left))
    work.features.forget()
    if work.plans:
        for fold, error in failed.items():
            work.progress.line(others_go_on(fold, error))
    return work, failed


def features_anew(stages: Sequence[ResolvedStage]) -> list[str]:
    """Word why stages with a frozen backbone cannot compute features once; of masks none can."""
    text = "stage %d: %s, so the frozen backbone computes features "
    text += "in every epoch, not once; without %s this stage takes a fraction of the time"
    return [
        text % (stage.index, anew.reason, anew.without)
        for stage in stages
        if stage.frozen and not stage.makes_masks and (anew := why_anew(stage))
    ]


def run_frozen(
    work: Work, stage: ResolvedStage, models: Mapping[int, Classifier]
) -> dict[int, NumericError]:
    """Train one stage whose backbone is frozen, of several folds at once.

    Args:
        work: What the folds share.
        stage: Frozen.
        models: Of each fold, where the stage starts; holds its best weights at the end.

    Returns:
        By fold, why it has failed with numbers of its own; the others are finished.
    """
    if stage.initial_weights:
        load_initial_weights(list(models.values()), work.directory / stage.initial_weights)
    jobs = [
        stage_job(work, stage, model, fold_data(work, fold, stage), fold)
        for fold, model in models.items()
    ]
    left = [job for job in jobs if not work.reuse.take(job)]
    runs = [StageRun(job, work.reuse.key(job)) for job in left]
    features = _features_of(work, runs)
    with computing_with(work.choices.threads):
        failed = run_heads(runs, features)
    for run in runs:
        if run.job.fold not in failed:
            work.reuse.give(run.job, run.state.key)
    return failed


def feature_files(config: ExperimentConfig, spec: ModelSpec, choices: Choices) -> FeatureFiles:
    """Say where an experiment keeps features, and what decides them beside weights and images.

    Args:
        config: Its `cache` is obeyed; with code that no key can tell, nothing is kept or found.
        spec: The model.
        choices: How it computes.
    """
    circumstances = {
        "spec": {name: value for name, value in asdict(spec).items() if name not in _OF_HEADS},
        "surroundings": surroundings(choices),
        **versions(),
    }
    return FeatureFiles(cache_home(config.cache) if is_code_known(config) else None, circumstances)


def _features_of(work: Work, runs: Sequence[StageRun]) -> dict[str, Features]:
    """Compute the features of each backbone that there is: folds may all have the same."""
    same = defaultdict(list)
    for run in runs:
        if run.running:
            same[run.encoder].append(run.job)
    found = {
        encoder: compute_features(jobs[0].model, jobs[0].stage, _feature_work(work, jobs))
        for encoder, jobs in same.items()
    }
    for features in found.values():
        work.pace.saw(features.seen, features.seconds)
    return found


def _passes(work: Work) -> dict[int, float]:
    """Count the images that the network sees in an epoch of the first fold, by stage.

    Gradients cost about twice what the image itself does, where the backbone learns.
    """
    passes = {}
    for stage in work.stages:
        if not sees_features(stage):
            data = fold_data(work, 0, stage)
            learned = 1 if stage.frozen else _WITH_GRADIENTS
            passes[stage.index] = float(learned * data.epoch_size(stage) + len(data.val_rows))
    return passes


def _feature_work(work: Work, jobs: Sequence[StageJob]) -> FeatureWork:
    # Of all samples of the folds: those that a stage leaves out differ from fold to fold.
    parts = [rows for job in jobs for rows in work.splits.rows(work.table, job.fold)]
    return FeatureWork(
        images=work.images,
        rows=rows_of(parts),
        seed=work.seed,
        threads=work.threads,
        files=work.features,
        progress=work.progress,
        resident=work.resident,
    )


def _model(
    work: Work, stage: ResolvedStage, plan: FoldPlan, others: Sequence[Classifier]
) -> Classifier:
    """Make the model that a fold goes on with; a backbone with given weights is made once."""
    given = work.weights != NONE or stage.initial_weights
    if others and not plan.first_stage and given:
        seed = seed_for(work.seed, "head", plan.fold)
        return on_device(with_new_head(others[0], work.spec, seed), work.choices)
    return starting_model(work, plan)


def _after(plan: FoldPlan, stage: ResolvedStage) -> FoldPlan:
    return replace(plan, first_stage=stage.index + 1) if plan.first_stage == stage.index else plan
