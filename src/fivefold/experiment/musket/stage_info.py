"""What `info` tells of a trained stage."""

from pathlib import Path
from typing import NamedTuple

from fivefold.core.errors import ConfigError, Problem
from fivefold.engine.history import read_history
from fivefold.evaluation import direction, is_better, resolve_monitor


class StageInfo(NamedTuple):
    """One stage of one fold.

    Attributes:
        fold: 0-based.
        stage: 0-based.
        best: The best value of the metric over the epochs.
        lr: The lowest learning rate of the epochs; None where none was recorded.
    """

    fold: int
    stage: int
    best: float
    lr: float | None


def stage_info(path: Path, fold: int, stage: int, metric: str) -> StageInfo:
    """Read a stage's table of metrics.

    Args:
        path: The table.
        fold: Whose.
        stage: Which.
        metric: Which column, in any spelling.

    Raises:
        ConfigError: If no epoch has it.
    """
    rows = read_history(path)
    name = resolve_monitor(metric, {name for row in rows for name in row})
    values = [row[name] for row in rows if name in row] if name else []
    if not values or name is None:
        message = f"metric: expected a column of {path}, got {metric!r}"
        raise ConfigError([Problem("config/unknown-monitor", "", message)])
    best = values[0]
    for value in values[1:]:
        best = value if is_better(value, best, direction(name)) else best
    rates = [row["lr"] for row in rows if "lr" in row]
    return StageInfo(fold, stage, best, min(rates) if rates else None)
