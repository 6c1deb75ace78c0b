"""From the predictions of finished folds to what the experiment found."""

from collections.abc import Sequence
from dataclasses import replace

from fivefold.config import ResolvedStage
from fivefold.core import durable
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, average, join
from fivefold.engine.checkpoint import load_bundle
from fivefold.evaluation import compute, csv_bytes, prediction_rows, spread
from fivefold.experiment.plan import make_plan
from fivefold.experiment.summary import Spread, Summary, write_summary


def summarise(
    folder: RunFolder, folds: Sequence[int], metrics: Sequence[Sequence[str]], primary: str
) -> Summary:
    """Compute a summary from the predictions of finished folds.

    Args:
        folder: The experiment.
        folds: Those that are finished.
        metrics: The names that each stage measures.
        primary: The last stage's primary metric.
    """
    stages = [_over_folds(folder, folds, stage) for stage in range(len(metrics))]
    last = len(stages) - 1
    return Summary(
        folds=tuple(folds),
        completed=True,
        primary_metric=primary,
        stages=tuple(stages),
        oof=compute(out_of_fold(folder, folds, last), metrics[-1]),
        holdout=_on_holdout(folder, folds, last, metrics[-1]),
        reused=_reused(folder, folds, len(stages)),
    )


def conclude(folder: RunFolder, stages: Sequence[ResolvedStage], num_folds: int) -> Summary:
    """Sum up what is finished; if that is all, write `summary.yaml` and the table of predictions.

    Args:
        folder: The experiment.
        stages: With the monitors' own names.
        num_folds: How many folds there are.
    """
    plans = make_plan(folder, range(num_folds), len(stages))
    done = [plan.fold for plan in plans if plan.done]
    primary = stages[-1].primary_metric
    if not done:
        return Summary(folds=(), completed=False, primary_metric=primary, stages=(), oof={})
    summary = summarise(folder, done, [stage.metrics for stage in stages], primary)
    if len(done) < num_folds:
        return replace(summary, completed=False)
    write_oof_table(folder, done, len(stages) - 1)
    write_summary(folder, summary)
    return summary


def out_of_fold(folder: RunFolder, folds: Sequence[int], stage: int) -> Predictions:
    """Join the validation predictions of all folds, in the order of the ids."""
    parts = [Predictions.load(folder.predictions("validation", fold, stage)) for fold in folds]
    return join(parts).sorted()


def write_oof_table(folder: RunFolder, folds: Sequence[int], stage: int) -> None:
    """Write every sample's prediction by the model that has not seen it as a CSV."""
    parts = [Predictions.load(folder.predictions("validation", fold, stage)) for fold in folds]
    fold_of = {i: fold for fold, part in zip(folds, parts, strict=True) for i in part.ids}
    header, *rows = prediction_rows(join(parts).sorted())
    table = [[header[0], "fold", *header[1:]]]
    table += [[row[0], str(fold_of[row[0]]), *row[1:]] for row in rows]
    durable.write_bytes(folder.oof_path, csv_bytes(table))


def _over_folds(folder: RunFolder, folds: Sequence[int], stage: int) -> dict[str, Spread]:
    rows = [load_bundle(folder.bundle(fold, stage)).metrics for fold in folds]
    return {name: spread([row[name] for row in rows]) for name in sorted(rows[0]) if name != "lr"}


def _on_holdout(
    folder: RunFolder, folds: Sequence[int], stage: int, names: Sequence[str]
) -> dict[str, float]:
    paths = [folder.predictions("holdout", fold, stage) for fold in folds]
    if not all(path.exists() for path in paths):
        return {}
    return compute(average([Predictions.load(path) for path in paths]), names)


def _reused(folder: RunFolder, folds: Sequence[int], num_stages: int) -> dict[str, str]:
    places = [(fold, stage) for fold in folds for stage in range(num_stages)]
    origins = {place: load_bundle(folder.bundle(*place)).reused_from for place in places}
    return {f"{fold}.{stage}": text for (fold, stage), text in origins.items() if text}
