"""Read what a run's summary says, or what stands for it while there is none."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from fivefold.apps.report.gathered import Gathered, Histories, Spread
from fivefold.config import SHARED_NAME
from fivefold.core.layout import RunFolder
from fivefold.experiment.summary import compared


def add_summary(found: Gathered, folder: RunFolder) -> None:
    """Add what the summary says; without one, how far the folds are."""
    path = folder.summary_path
    if path.exists():
        found.attempt("the summary", partial(_read_summary, found, path), None)
    if not found.stages and found.histories:
        found.stages = _so_far(found.histories)
        found.so_far = True
    if not found.primary_metric:
        found.primary_metric = str(_config(found).get("primary_metric", ""))


def _read_summary(found: Gathered, path: Path) -> None:
    summary = _yaml(path.read_text("utf-8"))
    found.stages = tuple(
        {name: _checked_spread(spread) for name, spread in _items(stage)}
        for stage in summary.get("stages", ())
    )
    found.oof = _numbers(summary.get("oof") or {})
    found.holdout = _numbers(summary.get("holdout") or {})
    for place, experiment in _items(summary.get("reused") or {}):
        known = found.reused.get(str(experiment), [])
        found.reused = {**found.reused, str(experiment): [*known, place]}
    found.primary_metric = str(summary.get("primary_metric") or "")
    found.completed = summary.get("completed") is True
    different = compared([int(count) for count in summary.get("validated") or ()])
    found.notes += [different] if different else []
    finished = {int(fold) for fold in summary.get("folds") or ()}
    for fold in sorted(finished - set(found.folds)):
        found.notes.append(f"predictions of fold {fold} are not there, though it is finished")
    found.folds = tuple(sorted(finished | set(found.folds)))


def _checked_spread(value: object) -> Spread:
    spread = _numbers(value)
    return {name: spread[name] for name in ("mean", "std", "min", "max")}


def _config(found: Gathered) -> dict[str, Any]:
    """Give what the files say, and above it what the run was started with."""
    recorded = found.manifest.get("config")
    nothing: dict[str, Any] = {}
    shared = found.attempt(SHARED_NAME, lambda: _yaml(found.shared_text), nothing)
    own = found.attempt("the config", lambda: _yaml(found.config_text), nothing)
    return {**shared, **own, **(recorded if isinstance(recorded, dict) else {})}


def _items(value: object) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        msg = f"expected a mapping, got {value!r}"
        raise TypeError(msg)
    return [(str(key), item) for key, item in value.items()]


def _numbers(value: object) -> dict[str, float]:
    return {name: float(number) for name, number in _items(value)}


def _yaml(text: str) -> dict[str, Any]:
    value = YAML(typ="safe", pure=True).load(text)
    return value if isinstance(value, dict) else {}


def _so_far(histories: Histories) -> tuple[Mapping[str, Spread], ...]:
    """Spread of the last epoch's metrics, for a run that has no summary yet."""
    tables: list[Mapping[str, Spread]] = []
    for stage in sorted({stage for _, stage in histories}):
        last = [rows[-1] for (_, s), rows in histories.items() if s == stage and rows]
        names = sorted({name for row in last for name in row} - {"lr"})  # set, not measured
        columns = {name: [row[name] for row in last if name in row] for name in names}
        tables.append({name: _spread(values) for name, values in columns.items()})
    return tuple(tables)


def _spread(column: list[float]) -> Spread:
    array = np.array(column, dtype=np.float64)
    finite = array if np.isfinite(array).all() else np.full(len(array), np.nan)
    values = (finite.mean(), finite.std(), finite.min(), finite.max())
    return dict(zip(("mean", "std", "min", "max"), map(float, values), strict=True))


def expected_folds(found: Gathered, folder: RunFolder) -> range:
    """Say which folds there should be: as split, else as configured, else as seen."""
    saved: Mapping[str, Any] = {}
    if folder.folds_path.exists():
        saved = found.mapping("the splits", folder.folds_path)
    config = _config(found)
    seen = [fold for fold, _ in found.histories] + list(found.folds)
    for count in (saved.get("num_folds"), config.get("folds_count"), config.get("num_folds")):
        if isinstance(count, int) and 0 < count <= 1000:
            return range(count)
    return range(max(seen, default=-1) + 1)
