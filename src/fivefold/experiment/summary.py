"""`summary.yaml`: metrics over folds, and on all out-of-fold predictions together."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from fivefold.core import durable
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, average, join
from fivefold.engine.checkpoint import load_bundle
from fivefold.evaluation import compute, csv_bytes, prediction_rows, spread

Spread = Mapping[str, float]


@dataclass(frozen=True)
class Summary:
    """What an experiment found.

    Attributes:
        folds: The folds that are finished.
        completed: Whether these are all.
        primary_metric: Of the last stage.
        stages: For each stage, metric to mean, std, min and max over folds.
        oof: Metric to value on all out-of-fold predictions of the last stage.
        holdout: The same for the mean of all folds' models on the holdout; empty without one.
        fresh: Whether this run trained anything.
        seconds: How long this run took.
    """

    folds: tuple[int, ...]
    completed: bool
    primary_metric: str
    stages: tuple[Mapping[str, Spread], ...]
    oof: Mapping[str, float]
    holdout: Mapping[str, float] = field(default_factory=dict)
    fresh: bool = False
    seconds: float = 0.0


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
    )


def out_of_fold(folder: RunFolder, folds: Sequence[int], stage: int) -> Predictions:
    """Join the validation predictions of all folds, in the order of the ids."""
    parts = [Predictions.load(folder.predictions("validation", fold, stage)) for fold in folds]
    return join(parts).sorted()


def write_summary(folder: RunFolder, summary: Summary) -> None:
    """Write `summary.yaml`: its presence means that the experiment is finished."""
    record: dict[str, Any] = {
        "completed": summary.completed,
        "folds": list(summary.folds),
        "primary_metric": summary.primary_metric,
        "stages": [{name: dict(s) for name, s in stage.items()} for stage in summary.stages],
        "oof": dict(summary.oof),
    }
    if summary.holdout:
        record["holdout"] = dict(summary.holdout)
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.dump(record, text)
    durable.write_text(folder.summary_path, text.getvalue())


def read_summary(folder: RunFolder) -> Summary:
    """Read what `write_summary` wrote.

    Raises:
        StateError: If it is damaged.
    """
    try:
        record = YAML(typ="safe", pure=True).load(folder.summary_path.read_text("utf-8"))
        return Summary(
            folds=tuple(record["folds"]),
            completed=record["completed"],
            primary_metric=record["primary_metric"],
            stages=tuple(record["stages"]),
            oof=record["oof"],
            holdout=record.get("holdout", {}),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        msg = f"{folder.summary_path}: expected a summary, got one without {error}"
        hint = "delete it and run `fivefold fit` again: nothing is trained twice"
        raise StateError(msg, hint=hint, slug="state/damaged") from error


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
