"""One experiment as far as it can be compared: its config, and its metrics over the folds."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fivefold.apps.compare.finding import Found
from fivefold.apps.compare.yaml_blocks import blocks, mapping_of, value_of
from fivefold.config import canonical_keys, find_shared, load
from fivefold.core.durable import read_json
from fivefold.core.errors import ConfigError, FivefoldError, StateError
from fivefold.core.layout import RunFolder
from fivefold.engine.history import read_history
from fivefold.evaluation import direction, is_better, resolve_monitor, spread

Status: TypeAlias = Literal["finished", "unfinished", "broken", "foreign"]
Rows: TypeAlias = Sequence[Mapping[str, float]]

_METRICS = re.compile(r"metrics-(\d+)\.(\d+)\.csv")
_NOT_MEASURED = frozenset({"lr"})
_DEFAULT_PRIMARY = "val_loss"


@dataclass(frozen=True)
class Compared:
    """What one experiment says.

    Attributes:
        path: Below the folder that was compared, with slashes.
        status: `finished`, `unfinished`, `broken` or `foreign`.
        note: Why it is not finished; empty where it is.
        config: What it was or would be trained with; empty where that cannot be read.
        primary_metric: What its best epochs were chosen by; empty where nothing says it.
        fold_count: Over how many folds the metrics are.
        metrics: Metric to its `mean` and population `std` over the folds, of the epoch that each
            fold has kept in the last stage; `epoch` is that epoch, 0-based, `stage` that stage.
        by_fold: The same of each fold alone; empty where that is not known of all.
        folder: Where it lies; None where there is nothing to compare.
    """

    path: str
    status: Status
    note: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    primary_metric: str = ""
    fold_count: int = 0
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    by_fold: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    folder: RunFolder | None = None


@dataclass(frozen=True)
class _Summary:
    """What a `summary.yaml` says, ours or Musket's."""

    completed: bool
    folds: int
    primary_metric: str
    stages: Sequence[Mapping[str, Mapping[str, float]]]
    totals: Mapping[str, float]


def read_experiment(found: Found, root: Path) -> Compared:
    """Read one experiment; what is wrong with it becomes its note.

    Args:
        found: Where it is.
        root: The folder that its path is told from.
    """
    folder = found.folder
    path = folder.argument.relative_to(root).as_posix()
    if found.reason:
        status: Status = "broken" if found.kind == "broken" else "foreign"
        return Compared(path, status, found.reason)
    one = Compared(path, "broken")
    try:
        one = replace(one, config=_config(folder), folder=folder)
        return _with_metrics(one, folder)
    except (FivefoldError, OSError) as error:
        return replace(one, note=_first_line(error))


def _first_line(error: Exception) -> str:
    problems = error.problems if isinstance(error, ConfigError) else ()
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (str(error).partition("\n")[0] or type(error).__name__) + more


def _config(folder: RunFolder) -> Mapping[str, Any]:
    """Read what a run was started with, else what its config says."""
    if folder.manifest_path.exists():
        recorded = read_json(folder.manifest_path).get("config")
        if isinstance(recorded, dict):
            return recorded
        msg = f"{folder.manifest_path}: expected the config of the run, got {type(recorded)}"
        raise StateError(msg, slug="state/damaged")
    if find_shared(folder.config_path):
        return load(folder.config_path).as_mapping()
    return canonical_keys(mapping_of(_text(folder.config_path), str(folder.config_path)))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        msg = f"{path}: expected UTF-8 text, got the byte 0x{byte:02x}"
        raise StateError(msg, slug="state/damaged") from error


def _with_metrics(one: Compared, folder: RunFolder) -> Compared:
    summary = _summary(folder)
    places = _places(folder)
    last = max((stage for _, stage in places), default=0)
    if summary and summary.completed:
        last = len(summary.stages) - 1 if summary.stages else last
        return _finished(one, summary, _tables(places, last), last)
    if not places:
        return replace(one, status="unfinished", note="not trained yet")
    tables = _tables(places, last)
    one = replace(one, primary_metric=_primary(one.config, "", tables), fold_count=len(tables))
    kept = _kept(one, tables)
    numbers, note = _numbers_of(kept, last), _so_far(one, last)
    return replace(one, status="unfinished", note=note, metrics=numbers, by_fold=kept)


def _finished(one: Compared, summary: _Summary, tables: Mapping[int, Rows], last: int) -> Compared:
    """Take the summary's numbers; only the kept epochs stand in the tables alone."""
    primary = _primary(one.config, summary.primary_metric, tables)
    one = replace(one, primary_metric=primary, fold_count=summary.folds or len(tables))
    kept = _kept(one, tables) if len(tables) == one.fold_count else {}
    numbers = _numbers_of(kept, last)
    numbers |= summary.stages[-1] if summary.stages else {}
    numbers |= {name: {"mean": value} for name, value in summary.totals.items()}
    note = "" if numbers else "it has kept no metrics"
    metrics = {"stage": _one(last), **numbers}
    return replace(one, status="finished", note=note, metrics=metrics, by_fold=kept)


def _numbers_of(
    kept: Mapping[int, Mapping[str, float]], stage: int
) -> dict[str, Mapping[str, float]]:
    """Spread the rows that the folds have kept."""
    if not kept:
        return {}
    found: dict[str, Mapping[str, float]] = {"stage": _one(stage)}
    rows = [*kept.values()]
    for name in sorted(set.intersection(*map(set, rows)) - _NOT_MEASURED):
        found[name] = spread([row[name] for row in rows])
    return found


def _one(value: float) -> dict[str, float]:
    return {"mean": float(value)}


def _tables(places: Mapping[tuple[int, int], Path], stage: int) -> dict[int, Rows]:
    """Read the tables of a stage: fold to its rows, where there are any."""
    tables = {
        place[0]: read_history(places[place]) for place in sorted(places) if place[1] == stage
    }
    return {fold: rows for fold, rows in tables.items() if rows}


def _places(folder: RunFolder) -> dict[tuple[int, int], Path]:
    directory = folder.root / "metrics"
    if not directory.is_dir():
        return {}
    matches = [(_METRICS.fullmatch(path.name), path) for path in directory.iterdir()]
    return {(int(m[1]), int(m[2])): path for m, path in matches if m}


def _summary(folder: RunFolder) -> _Summary | None:
    path = folder.summary_path
    try:
        text = _text(path)
    except FileNotFoundError:
        return None
    cut = blocks(text)
    if cut is None or "completed" not in cut:
        msg = f"{path}: expected a summary in YAML, got {text[:40]!r}"
        raise StateError(msg, slug="state/damaged")
    values = {key: (value_of(cut[key]) or {}).get(key) for key in _READ if key in cut}
    totals = {
        f"{prefix}_{name}": float(value)
        for prefix in ("oof", "holdout")
        for name, value in _numbers(values.get(prefix)).items()
    }
    stages, folds = values.get("stages"), values.get("folds")
    return _Summary(
        completed=values.get("completed") is True,
        folds=len(folds) if isinstance(folds, list) else 0,
        primary_metric=str(values.get("primary_metric") or ""),
        stages=[_spreads(stage) for stage in stages] if isinstance(stages, list) else [],
        totals=totals,
    )


_READ = ("completed", "folds", "primary_metric", "stages", "oof", "holdout")


def _spreads(stage: object) -> dict[str, Mapping[str, float]]:
    """Read a stage's metrics; what has no mean is none."""
    items = stage.items() if isinstance(stage, dict) else ()
    numbers = {str(name): _numbers(value) for name, value in items}
    return {name: values for name, values in numbers.items() if "mean" in values}


def _numbers(value: object) -> dict[str, float]:
    items = value.items() if isinstance(value, dict) else ()
    return {str(name): number for name, number in items if isinstance(number, int | float)}


def _primary(config: Mapping[str, Any], wanted: str, tables: Mapping[int, Rows]) -> str:
    """Name the column that decides which epoch a fold keeps."""
    wanted = wanted or str(config.get("primary_metric", _DEFAULT_PRIMARY))
    columns = [name for rows in [*tables.values()][:1] for name in rows[0]]
    return resolve_monitor(wanted, columns) or wanted


def _kept(one: Compared, tables: Mapping[int, Rows]) -> dict[int, dict[str, float]]:
    """Find the row of the best epoch of each fold; none where one fold has none."""
    mode = _mode(one)
    if mode is None:
        return {}
    found = {}
    for fold, rows in tables.items():
        best, kept = math.nan, None
        for epoch, row in enumerate(rows):
            value = row.get(one.primary_metric, math.nan)
            if is_better(value, best, mode):
                best, kept = value, {**row, "epoch": float(epoch)}
        if kept is None:
            return {}
        found[fold] = kept
    return found


def _mode(one: Compared) -> Literal["min", "max"] | None:
    """Say which direction the best epoch lies in; None where only the run itself knew."""
    mode = one.config.get("primary_metric_mode")
    if mode in ("min", "max"):
        return "min" if mode == "min" else "max"
    try:
        return direction(one.primary_metric)
    except ConfigError:
        return None


def _so_far(one: Compared, stage: int) -> str:
    """Word how far a run has come."""
    folds, stages = one.config.get("folds_count", 5), one.config.get("stages")
    of_stages = f" of {len(stages)}" if isinstance(stages, list) else ""
    return f"{one.fold_count} of {folds} folds have begun stage {stage}{of_stages}"
