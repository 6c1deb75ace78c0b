"""Experiments side by side: what differs between them, and which is best at what."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fivefold.apps.compare.finding import find_experiments
from fivefold.apps.compare.reading import Compared, read_experiment
from fivefold.config import ABSENT, differing
from fivefold.core.arguments import as_path
from fivefold.core.durable import write_bytes
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.evaluation import csv_bytes, direction, resolve_monitor

Cell: TypeAlias = Any

COUNTED = frozenset({"epoch", "stage"})
"""Columns among the metrics that are no measurements: none is better than another."""
_FALLBACK = "val_loss"
_LOSSES = frozenset({"loss", "val_loss"})
_PREFIXES = ("val_", "oof_", "holdout_")  # of what no model was trained on


_TITLES = {"mean": "{}", "std": "{}_std"}


@dataclass(frozen=True)
class Comparison:
    """What was found in a folder, the best experiment first.

    Attributes:
        experiments: One for each; those without the metric that sorts come last.
        parameters: Keys of the configs that differ, with the value of each experiment; ABSENT
            where it has none.
        metrics: The names of all metrics, those of validation last.
        best: Metric to the positions of the finished experiments with its best mean, several if
            they are equal; without metrics of training samples, those whose better direction is
            not known, and values of different losses.
        sorted_by: The column that decides the order.
    """

    experiments: tuple[Compared, ...]
    parameters: Mapping[str, Sequence[Any]]
    metrics: tuple[str, ...]
    best: Mapping[str, frozenset[int]]
    sorted_by: str

    def records(self) -> list[dict[str, Any]]:
        """Give one mapping for each experiment, all with the same keys.

        Keys: `path`, `status`, `fold_count`, the parameters that differ, for each metric its mean
        over the folds and its population standard deviation as `<metric>_std`, `best` (the metrics
        at which the experiment is the best, a space between them), and `note`. What is not there
        is None, a parameter ABSENT. The parameter `loss` is called `loss_function`, as in Musket,
        since the metric has that name too.
        """
        titles = self.titles()
        ends = {
            name: ("mean", "std") if self._has_std(name) else ("mean",) for name in self.metrics
        }
        records = []
        for number, one in enumerate(self.experiments):
            record = {"path": one.path, "status": one.status, "fold_count": one.fold_count}
            columns = zip(titles, self.parameters.values(), strict=True)
            record |= {title: values[number] for title, values in columns}
            for name in self.metrics:
                spread = one.metrics.get(name, {})
                record |= {_TITLES[end].format(name): spread.get(end) for end in ends[name]}
            best = [name for name, positions in self.best.items() if number in positions]
            records.append({**record, "best": " ".join(best), "note": one.note})
        return records

    def titles(self) -> list[str]:
        """Name the parameters' columns: by their keys, unless another column has that name."""
        taken = {*self.metrics, "path", "status", "fold_count", "best", "note"}
        titles = ["loss_function" if key == "loss" else key for key in self.parameters]
        return [f"config.{title}" if title in taken else title for title in titles]

    def table(self) -> list[list[str]]:
        """Write the records as text cells, a header first.

        Numbers have as many digits as give the same number back; what is not there is empty.
        """
        records = self.records()
        return [list(records[0]), *([_text(v) for v in one.values()] for one in records)]

    def write_csv(self, path: Path | str) -> None:
        """Write the table as a CSV file."""
        write_bytes(Path(path), csv_bytes(self.table()))

    @property
    def compares_losses(self) -> bool:
        """Whether the order is that of losses whose values mean different things."""
        return self.sorted_by in _LOSSES and not _same_loss(self.experiments)

    def _has_std(self, name: str) -> bool:
        return any("std" in one.metrics.get(name, {}) for one in self.experiments)


def compare(
    folder: Path | str, *, only_metric: str | None = None, sort_by: str | None = None
) -> Comparison:
    """Compare all experiments below a folder; loads no torch.

    A metric's value is the mean over the folds, each in the epoch whose weights it has kept in the
    last stage, as in `summary.yaml`. `oof_<metric>` is over all out-of-fold predictions together,
    `holdout_<metric>` of the folds' mean prediction on the holdout.

    Args:
        folder: Of experiments, or of a project; all below it count.
        only_metric: Show this metric alone, and sort by it.
        sort_by: A metric, best first, or a key of the config or `path`, ascending. If not given:
            what the experiments chose their weights by if that is one metric, else `val_loss`; of
            different losses a metric that all have measured.

    Raises:
        ConfigError: If there is no experiment, or a name is not known.
    """
    root = as_path("folder", folder)
    found = find_experiments(root) if root.is_dir() else []
    read = [read_experiment(one, root) for one in found]
    if not any(one.config or one.metrics for one in read):
        _fail_empty(root, read)
    names = sorted({name for one in read for name in one.metrics}, key=_place_of)
    if only_metric is not None:
        names = [_known("--only-metric", only_metric, names)]
    parameters = _parameters(read)
    column = _sorted_by(read, names, parameters, sort_by or only_metric)
    order = _order(read, parameters, column)
    read = [read[i] for i in order]
    return Comparison(
        experiments=tuple(read),
        parameters={key: [values[i] for i in order] for key, values in parameters.items()},
        metrics=tuple(names),
        best={
            name: positions
            for name in names
            if _competes(name, read) and (positions := _best(read, name))
        },
        sorted_by=column,
    )


def shown(value: Any) -> str:
    """Write a config's value as YAML would show it; nothing where there is none."""
    if value is ABSENT:
        return ""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    return "" if value is None else shown(value)


def _place_of(name: str) -> tuple[bool, str]:
    """Sort metrics as Musket does: by name, those of validation last."""
    return name.startswith("val_"), name


def _parameters(read: Sequence[Compared]) -> dict[str, list[Any]]:
    """Find what differs, among those whose config can be read; the others have nothing there."""
    readable = [i for i, one in enumerate(read) if one.config]
    found = {}
    for key, values in differing([read[i].config for i in readable]).items():
        column = [ABSENT] * len(read)
        for i, value in zip(readable, values, strict=True):
            column[i] = value
        found[key] = column
    return found


def _sorted_by(
    read: Sequence[Compared],
    names: Sequence[str],
    parameters: Mapping[str, Any],
    wanted: str | None,
) -> str:
    if wanted is not None:
        if wanted == "path" or wanted in parameters:
            return wanted
        return _known("--sort-by", wanted, names, [*parameters, "path"])
    primary = {one.primary_metric for one in read if one.metrics}
    usual = primary.pop() if len(primary) == 1 else _FALLBACK
    if usual in _LOSSES and not _same_loss(read):
        usual = _common_metric(read) or usual
    return usual if usual in names else "path"


def _same_loss(read: Sequence[Compared]) -> bool:
    """Say whether all that was measured was trained with one loss."""
    used = [one.config.get("loss", ABSENT) for one in read if one.config and one.metrics]
    return all(loss == used[0] for loss in used)


def _common_metric(read: Sequence[Compared]) -> str | None:
    """Find a metric of validation that all have: one that some were trained for, else the first."""
    measured = [one for one in read if one.metrics]
    common = set.intersection(*(set(one.metrics) for one in measured))
    chosen = [one.primary_metric for one in measured]
    usable = sorted(
        (name for name in common if name.startswith("val_") and _direction(read, name)),
        key=lambda name: (-chosen.count(name), name),
    )
    return next((name for name in usable if name not in _LOSSES), None)


def _known(option: str, name: str, metrics: Sequence[str], others: Sequence[str] = ()) -> str:
    found = resolve_monitor(name, metrics)
    if found is not None:
        return found
    known = [*metrics, *others]
    hint = did_you_mean(name, known, f"there are {', '.join(known[:20])}" if known else "")
    message = f"expected a column of the comparison, got {name!r}"
    raise ConfigError([Problem("cli/no-such-column", option, message, hint)])


def _order(
    read: Sequence[Compared], parameters: Mapping[str, Sequence[Any]], column: str
) -> list[int]:
    """Sort: finished ones by the column, then unfinished ones, then the rest; equals by path."""
    ranks = ("finished", "unfinished", "broken", "foreign")
    sign = -1.0 if _direction(read, column) == "max" else 1.0

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


def _best(read: Sequence[Compared], name: str) -> frozenset[int]:
    mode = _direction(read, name)
    means = {
        number: one.metrics[name]["mean"]
        for number, one in enumerate(read)
        if one.status == "finished"
        and not math.isnan(one.metrics.get(name, {}).get("mean", math.nan))
    }
    if mode is None or not means:
        return frozenset()
    best = (max if mode == "max" else min)(means.values())
    return frozenset(number for number, mean in means.items() if mean == best)


def _competes(name: str, read: Sequence[Compared]) -> bool:
    """Say whether a metric may be called best: on samples that were not trained on, and alike."""
    return name.startswith(_PREFIXES) and (name not in _LOSSES or _same_loss(read))


def _direction(read: Sequence[Compared], name: str) -> str | None:
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


def _fail_empty(root: Path, read: Sequence[Compared]) -> None:
    got = "none" if root.is_dir() else "a file" if root.exists() else "no such folder"
    reasons = [f"{one.path}: {one.note}" for one in read[:5]]
    hint = "; ".join(reasons) or "an experiment is a folder with a config.yaml"
    if got == "a file":
        hint = "name the folder that it lies in, or one above that"
    message = f"expected a folder with experiments, got {got}"
    raise ConfigError([Problem("cli/no-experiments", str(root), message, hint)])
