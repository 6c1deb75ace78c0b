"""`summary.yaml`: metrics over folds, and on all out-of-fold predictions together."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from fivefold.core import durable
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder

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
