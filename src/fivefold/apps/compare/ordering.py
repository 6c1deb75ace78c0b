"""Which experiment comes first, by which column, and which is the best at what."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fivefold.apps.compare.dealt import UNKNOWN
from fivefold.apps.compare.differences import LOSSES
from fivefold.apps.compare.reading import Compared
from fivefold.apps.compare.writing import shown
from fivefold.config import ABSENT
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.evaluation import direction, resolve_monitor

COUNTED = frozenset({"epoch", "stage"})
"""Columns among the metrics that are no measurements: none is better than another."""
_FALLBACK = "val_loss"
_PREFIXES = ("val_", "oof_", "holdout_")  # of what no model was trained on


def titled(name: str) -> str:
    """Name a metric for people: training numbers say so, and the kept epoch is counted from 1."""
    if name in COUNTED:
        return "epoch (from 1)" if name == "epoch" else name
    return name if name.startswith(_PREFIXES) else f"{name} (training)"


def place_of(name: str) -> tuple[bool, str]:
    """Sort metrics as Musket does: by name, those of validation last."""
    return name.startswith("val_"), name


def column_that_sorts(
    read: Sequence[Compared],
    names: Sequence[str],
    parameters: Mapping[str, Any],
    wanted: str | None,
) -> str:
    """Find the column that decides the order: what is wanted, else the usual metric, else `path`.

    Raises:
        ConfigError: If there is no such column.
    """
    if wanted is not None:
        if wanted == "path" or wanted in parameters:
            return wanted
        return known_column("--sort-by", wanted, names, [*parameters, "path"])
    primary = {one.primary_metric for one in read if one.metrics}
    usual = primary.pop() if len(primary) == 1 else _FALLBACK
    if usual in LOSSES and not same_loss(read):
        usual = _common_metric(read) or usual
    return usual if usual in names else "path"


def same_loss(read: Sequence[Compared]) -> bool:
    """Say whether all that was measured was trained with one loss."""
    used = [one.config.get("loss", ABSENT) for one in read if one.config and one.metrics]
    return all(loss == used[0] for loss in used)


def _common_metric(read: Sequence[Compared]) -> str | None:
    """Find a metric of validation that all have: one that some were trained for, else the first."""
    measured = [one for one in read if one.metrics]
    common = set.intersection(*(set(one.metrics) for one in measured))
    chosen = [one.primary_metric for one in measured]
    usable = sorted(
        (name for name in common if name.startswith("val_") and direction_of(read, name)),
        key=lambda name: (-chosen.count(name), name),
    )
    return next((name for name in usable if name not in LOSSES), None)


def known_column(option: str, name: str, metrics: Sequence[str], others: Sequence[str] = ()) -> str:
    """Find the metric that a name means.

    Raises:
        ConfigError: If there is none.
    """
    found = resolve_monitor(name, metrics)
    if found is not None:
        return found
    known = [*metrics, *others]
    hint = did_you_mean(name, known, f"there are {', '.join(known[:20])}" if known else "")
    message = f"expected a column of the comparison, got {name!r}"
    raise ConfigError([Problem("cli/no-such-column", option, message, hint)])


def order_of(
    read: Sequence[Compared], parameters: Mapping[str, Sequence[Any]], column: str
) -> list[int]:
    """Sort: finished ones by the column, then unfinished ones, then the rest; equals by path."""
    ranks = ("finished", "unfinished", "broken", "foreign")
    sign = -1.0 if direction_of(read, column) == "max" else 1.0

    def key(number: int) -> tuple[Any, ...]:
        one = read[number]
        mean = one.metrics.get(column, {}).get("mean", math.nan)
        value: tuple[Any, ...] = (math.isnan(mean), 0.0 if math.isnan(mean) else sign * mean, "")
        if column in parameters:
            value = _ascending(parameters[column][number])
        return ranks.index(one.status), *value, one.path

    if column == "path":
        return sorted(range(len(read)), key=lambda number: read[number].path)
    return sorted(range(len(read)), key=key)


def _ascending(value: Any) -> tuple[Any, ...]:
    """Sort values of a key: numbers, then texts, then what is not set."""
    if value is ABSENT:
        return 2, 0.0, ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (0, float(value), "") if is_number else (1, 0.0, shown(value))


def best_at(
    read: Sequence[Compared], name: str, groups: Sequence[int] | None = None
) -> frozenset[int]:
    """Find the positions of the finished experiments with a metric's best mean.

    Args:
        read: The experiments.
        name: The metric.
        groups: Which data each was measured on; where there are several, the best of each that at
            least two were measured on. All on the same if not given.
    """
    mode = direction_of(read, name)
    means = {
        number: one.metrics[name]["mean"]
        for number, one in enumerate(read)
        if one.status == "finished"
        and not math.isnan(one.metrics.get(name, {}).get("mean", math.nan))
    }
    if mode is None or not means:
        return frozenset()
    parts: dict[int, dict[int, float]] = {}
    for number, mean in means.items():
        parts.setdefault(0 if groups is None else groups[number], {})[number] = mean
    pick, found = max if mode == "max" else min, set[int]()
    for part in parts.values():
        if len(part) > 1 or len(parts) == 1:
            best = pick(part.values())
            found |= {number for number, mean in part.items() if mean == best}
    return frozenset(found)


def reference_at(read: Sequence[Compared], name: str, groups: Sequence[int]) -> int | None:
    """Find the best experiment of the data that most were measured on; None if there is none."""
    sizes = Counter(groups[number] for number, one in enumerate(read) if one.status == "finished")
    sizes[UNKNOWN] = min(sizes[UNKNOWN], 1)  # nobody knows whether these can be compared
    largest = max(sizes.values(), default=0)
    numbers = [number for number in range(len(read)) if sizes[groups[number]] == largest]
    best = best_at([read[number] for number in numbers], name)
    return min((numbers[number] for number in best), default=None)


def competes(name: str, read: Sequence[Compared]) -> bool:
    """Say whether a metric may be called best: on samples that were not trained on, and alike."""
    return name.startswith(_PREFIXES) and (name not in LOSSES or same_loss(read))


def direction_of(read: Sequence[Compared], name: str) -> str | None:
    """Say which way a metric is better; None where only its author knows, or nothing is better."""
    if name in COUNTED:
        return None
    own = [one.config.get("primary_metric_mode") for one in read if one.primary_metric == name]
    said = {str(mode) for mode in own if mode in ("min", "max")}
    if len(said) == 1:
        return said.pop()
    try:
        return direction(name)
    except ConfigError:
        return None
