"""`summary.yaml`: metrics over folds, and on all out-of-fold predictions together."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from fivefold.core import durable
from fivefold.core.damage import checked
from fivefold.core.errors import StateError
from fivefold.core.layout import RunFolder
from fivefold.evaluation import HOLDOUT, base_of, resolve_monitor

Spread = Mapping[str, float]

_HINT = "delete it and run `fivefold fit` again: nothing is trained twice"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Spread(_Strict):
    mean: float
    std: float
    min: float
    max: float


class _Record(_Strict):
    """`summary.yaml` as it must be."""

    completed: bool
    folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    primary_metric: str
    stages: Annotated[list[dict[str, _Spread]], Field(min_length=1)]
    oof: dict[str, float]
    holdout: dict[str, float] = {}
    reused: dict[str, str] = {}
    experiment_result: str = ""
    result: float | None = None
    num_seeds: Annotated[int, Field(ge=1)] = 1
    split_deviation: Annotated[float, Field(ge=0, le=1)] | None = None
    validated: list[Annotated[int, Field(ge=1)]] = []


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
        reused: Stages that were taken from other experiments: "<fold>.<stage>" to where from.
        experiment_result: What stands for the whole experiment, as the config names it, or "".
        num_seeds: Over how many repeats with other seeds it is: each number is a mean of theirs,
            and a spread is over them.
        split_deviation: How far a class's share of a fold is at most from its share of all, 0-1;
            None where nobody has measured it.
        validated: On how many samples each stage is validated, all folds together, where they are
            not as many for all stages, as with `negatives`; else empty.
        fresh: Whether this run trained anything.
        seconds: How long this run took: reading data, training, and this summary.
        stopped: Whether it has ended because its time was over.
        decided: Whether nothing was trained and what becomes of predictions was chosen again.
    """

    folds: tuple[int, ...]
    completed: bool
    primary_metric: str
    stages: tuple[Mapping[str, Spread], ...]
    oof: Mapping[str, float]
    holdout: Mapping[str, float] = field(default_factory=dict)
    reused: Mapping[str, str] = field(default_factory=dict)
    experiment_result: str = ""
    num_seeds: int = 1
    split_deviation: float | None = None
    validated: tuple[int, ...] = ()
    fresh: bool = False
    seconds: float = 0.0
    stopped: bool = False
    decided: bool = False

    @property
    def result(self) -> float | None:
        """The number that stands for the whole experiment; None if it has none.

        That is the metric of `experiment_result`: on the holdout if its name ends with `_holdout`,
        else its mean over folds. Without one it is the primary metric, on the holdout if there is
        one, as Musket has it.
        """
        wanted = self.experiment_result
        if not wanted:
            held_out = self._on_holdout(base_of(self.primary_metric))
            return self._over_folds(self.primary_metric) if held_out is None else held_out
        if wanted.endswith(HOLDOUT):
            return self._on_holdout(base_of(wanted))
        return self._over_folds(f"val_{base_of(wanted)}")

    @property
    def footnote(self) -> str:
        """Say that stages are validated on different samples; empty if they are not."""
        return compared(self.validated)

    def _on_holdout(self, name: str) -> float | None:
        found = resolve_monitor(name, self.holdout)
        return self.holdout[found] if found else None

    def _over_folds(self, name: str) -> float | None:
        last = self.stages[-1] if self.stages else {}
        found = resolve_monitor(name, last)
        return last[found]["mean"] if found else None


def compared(validated: Sequence[int]) -> str:
    """Say that stages are validated on different samples; empty if they are not.

    Args:
        validated: On how many samples each is; none where all are on the same ones.
    """
    if not validated:
        return ""
    stages: dict[int, list[str]] = {}
    for stage, count in enumerate(validated):
        stages.setdefault(count, []).append(str(stage))
    parts = [
        f"{'stage' if len(own) == 1 else 'stages'} {', '.join(own)} on {count}"
        for count, own in stages.items()
    ]
    told = f"stages are validated on different samples: {'; '.join(parts)}"
    return f"{told}: do not compare their numbers"


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
    if summary.reused:
        record["reused"] = dict(summary.reused)
    if summary.experiment_result:
        record["experiment_result"] = summary.experiment_result
        record["result"] = summary.result
    if summary.num_seeds > 1:
        record["num_seeds"] = summary.num_seeds
    if summary.split_deviation is not None:
        record["split_deviation"] = summary.split_deviation
    if summary.validated:
        record["validated"] = list(summary.validated)
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style = False
    yaml.dump(record, text)
    durable.write_text(folder.summary_path, text.getvalue())


def read_summary(folder: RunFolder) -> Summary:
    """Read what `write_summary` wrote.

    Raises:
        StateError: If it is damaged.
    """
    record = checked(folder.summary_path, _Record, _yaml(folder), _HINT)
    stages = [{name: s.model_dump() for name, s in stage.items()} for stage in record.stages]
    return Summary(
        folds=tuple(record.folds),
        completed=record.completed,
        primary_metric=record.primary_metric,
        stages=tuple(stages),
        oof=record.oof,
        holdout=record.holdout,
        reused=record.reused,
        experiment_result=record.experiment_result,
        num_seeds=record.num_seeds,
        split_deviation=record.split_deviation,
        validated=tuple(record.validated),
    )


def _yaml(folder: RunFolder) -> Any:
    path = folder.summary_path
    try:
        return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    # Beside its own errors, damage makes the parser run into these.
    except (OSError, YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        told = error.problem if isinstance(error, MarkedYAMLError) else error
        msg = f"{path}: expected a summary in YAML, got {told}"
        raise StateError(msg, hint=_HINT, slug="state/damaged") from error
