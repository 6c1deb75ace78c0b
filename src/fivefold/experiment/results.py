"""From the predictions of finished folds to what the experiment found."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from fivefold.config import ResolvedStage
from fivefold.core.found import load_found
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.data.split_report import SplitReport
from fivefold.engine.checkpoint import load_bundle
from fivefold.evaluation import compute, spread
from fivefold.experiment.asked import Asked
from fivefold.experiment.decisions import Wishes, conclude_decisions
from fivefold.experiment.plan import make_plan
from fivefold.experiment.prediction_tables import write_prediction_tables
from fivefold.experiment.summary import Spread, Summary, write_summary
from fivefold.experiment.unseen import found_on_holdout, found_with_folds

logger = logging.getLogger(__name__)


def summarise(
    folder: RunFolder,
    folds: Sequence[int],
    metrics: Sequence[Sequence[str]],
    primary: str,
    asked: Asked | None = None,
) -> Summary:
    """Compute a summary from the predictions of finished folds.

    Args:
        folder: The experiment.
        folds: Those that are finished.
        metrics: The names that each stage measures.
        primary: The last stage's primary metric.
        asked: What is computed beside them.
    """
    asked = asked or Asked()
    stages = [_over_folds(folder, folds, stage, asked.finals) for stage in range(len(metrics))]
    last = len(stages) - 1
    names = list(dict.fromkeys([*metrics[-1], *asked.finals]))
    summary = Summary(
        folds=tuple(folds),
        completed=True,
        primary_metric=primary,
        stages=tuple(stages),
        oof=compute(found_with_folds(folder, folds, last)[0], names),
        holdout=_on_holdout(folder, folds, last, names),
        reused=_reused(folder, folds, len(stages)),
        experiment_result=asked.result,
        split_deviation=_split_deviation(folder),
        validated=_validated(folder, folds, len(stages)),
    )
    if asked.result and summary.result is None:
        logger.warning("experiment_result: there is no number %r in this run", asked.result)
    return summary


def conclude(
    folder: RunFolder,
    stages: Sequence[ResolvedStage],
    num_folds: int,
    asked: Asked | None = None,
    wishes: Wishes | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Sum up what is finished; if that is all, write summary, decisions and tables of predictions.

    Args:
        folder: The experiment.
        stages: With the monitors' own names.
        num_folds: How many folds there are.
        asked: What is computed beside the stages' metrics.
        wishes: What is decided on predictions; by default they stay as they are.
        progress: Who watches decisions being made.
    """
    plans = make_plan(folder, range(num_folds), len(stages))
    done = [plan.fold for plan in plans if plan.done]
    primary = stages[-1].primary_metric
    if not done:
        return Summary(folds=(), completed=False, primary_metric=primary, stages=(), oof={})
    summary = summarise(folder, done, [stage.metrics for stage in stages], primary, asked)
    if len(done) < num_folds:
        return replace(summary, completed=False)
    write_prediction_tables(folder, done, len(stages) - 1)
    conclude_decisions(folder, done, len(stages) - 1, wishes or Wishes(), progress)
    write_summary(folder, summary)
    return summary


def _over_folds(
    folder: RunFolder, folds: Sequence[int], stage: int, finals: Sequence[str]
) -> dict[str, Spread]:
    """Spread the numbers of the best epochs, and the metrics that nobody has computed yet."""
    rows = [
        {**load_bundle(folder.bundle(fold, stage)).metrics, **_of_fold(folder, fold, stage, finals)}
        for fold in folds
    ]
    return {name: spread([row[name] for row in rows]) for name in sorted(rows[0]) if name != "lr"}


def _of_fold(folder: RunFolder, fold: int, stage: int, finals: Sequence[str]) -> dict[str, float]:
    if not finals:
        return {}
    found = load_found(folder.predictions("validation", fold, stage))
    return compute(found, finals, prefix="val_")


def _on_holdout(
    folder: RunFolder, folds: Sequence[int], stage: int, names: Sequence[str]
) -> dict[str, float]:
    found = found_on_holdout(folder, folds, stage)
    return {} if found is None else compute(found, names)


def _split_deviation(folder: RunFolder) -> float | None:
    path = folder.split_report_path
    evenness = SplitReport.load(path).evenness if path.exists() else None
    return evenness.deviation if evenness else None


def _validated(folder: RunFolder, folds: Sequence[int], num_stages: int) -> tuple[int, ...]:
    """Count the validation samples of each stage; nothing where all have as many."""
    counts = [
        [load_bundle(folder.bundle(fold, stage)).validated for fold in folds]
        for stage in range(num_stages)
    ]
    is_known = all(all(own) for own in counts)
    totals = tuple(map(sum, counts))
    return totals if is_known and len(set(totals)) > 1 else ()


def _reused(folder: RunFolder, folds: Sequence[int], num_stages: int) -> dict[str, str]:
    places = [(fold, stage) for fold in folds for stage in range(num_stages)]
    origins = {place: load_bundle(folder.bundle(*place)).reused_from for place in places}
    return {f"{fold}.{stage}": text for (fold, stage), text in origins.items() if text}
