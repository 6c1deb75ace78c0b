"""Experiments side by side: what differs between them, and which is best at what."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from fivefold.apps.compare.dealt import data_groups
from fivefold.apps.compare.differences import (
    LOSSES,
    Differences,
    Judged,
    differences,
    with_samples,
)
from fivefold.apps.compare.finding import find_experiments
from fivefold.apps.compare.ordering import (
    best_at,
    column_that_sorts,
    competes,
    direction_of,
    known_column,
    order_of,
    place_of,
    reference_at,
    same_loss,
)
from fivefold.apps.compare.reading import Compared, read_experiment
from fivefold.apps.compare.writing import text
from fivefold.config import ABSENT, differing
from fivefold.core.arguments import as_path
from fivefold.core.durable import write_bytes
from fivefold.core.errors import ConfigError, Problem, did_you_mean
from fivefold.evaluation import csv_bytes
from fivefold.evaluation.differences import Difference

Cell: TypeAlias = Any

DIFFERENCE_COLUMNS = (
    "difference_metric",
    "difference_from",
    "difference",
    "difference_low",
    "difference_high",
    "p_value",
    "p_holm",
    "verdict",
    "difference_note",
    "sample_difference",
    "sample_low",
    "sample_high",
    "sample_p_value",
)
"""Columns of the table that say how far an experiment is from the reference."""


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
            they are equal, or one of each data that at least two were measured on; without metrics
            of training samples, those whose better direction is not known, and values of different
            losses.
        sorted_by: The column that decides the order.
        differences: How far each experiment is from the best, or from the one that was asked for.
        groups: The number of the data that each experiment was measured on.
    """

    experiments: tuple[Compared, ...]
    parameters: Mapping[str, Sequence[Any]]
    metrics: tuple[str, ...]
    best: Mapping[str, frozenset[int]]
    sorted_by: str
    differences: Differences = field(default_factory=Differences)
    groups: tuple[int, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Give one mapping for each experiment, all with the same keys.

        Keys: `path`, `status`, `fold_count`, the parameters that differ, for each metric its mean
        over the folds and its population standard deviation as `<metric>_std`, those of
        DIFFERENCE_COLUMNS, `best` (the metrics at which the experiment is the best, a space
        between them), and `note`. What is not there is None, a parameter ABSENT. The parameter
        `loss` is called `loss_function`, as in Musket, since the metric has that name too.
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
            record |= self._difference(number)
            best = [name for name, positions in self.best.items() if number in positions]
            records.append({**record, "best": " ".join(best), "note": one.note})
        return records

    def _difference(self, number: int) -> dict[str, Any]:
        """Write the columns of the difference, the same ones whatever there is."""
        found = self.differences
        judged = found.judged[number] if found.judged else Judged()
        is_compared = judged.verdict not in ("", "reference")
        numbers = (
            judged.difference.mean,
            judged.difference.low,
            judged.difference.high,
            judged.difference.p_value,
            judged.p_holm,
        )
        samples = judged.by_sample or Difference()
        values: tuple[Any, ...] = (
            found.metric if is_compared else None,
            found.against if is_compared else None,
            *map(_known, numbers),
            judged.verdict or None,
            judged.note or None,
            *map(_known, (samples.mean, samples.low, samples.high, samples.p_value)),
        )
        return dict(zip(DIFFERENCE_COLUMNS, values, strict=True))

    def titles(self) -> list[str]:
        """Name the parameters' columns: by their keys, unless another column has that name."""
        taken = {*self.metrics, "path", "status", "fold_count", "best", "note"}
        taken |= {*DIFFERENCE_COLUMNS}
        titles = ["loss_function" if key == "loss" else key for key in self.parameters]
        return [f"config.{title}" if title in taken else title for title in titles]

    def table(self) -> list[list[str]]:
        """Write the records as text cells, a header first.

        Numbers have as many digits as give the same number back; what is not there is empty.
        """
        records = self.records()
        return [list(records[0]), *([text(v) for v in one.values()] for one in records)]

    def write_csv(self, path: Path | str) -> None:
        """Write the table as a CSV file."""
        write_bytes(Path(path), csv_bytes(self.table()))

    @property
    def compares_losses(self) -> bool:
        """Whether the order is that of losses whose values mean different things."""
        return self.sorted_by in LOSSES and not same_loss(self.experiments)

    @property
    def num_data(self) -> int:
        """On how many different data the finished experiments were measured."""
        pairs = zip(self.experiments, self.groups, strict=True)
        return len({group for one, group in pairs if one.status == "finished"})

    def _has_std(self, name: str) -> bool:
        return any("std" in one.metrics.get(name, {}) for one in self.experiments)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def compare(
    folder: Path | str,
    *,
    only_metric: str | None = None,
    sort_by: str | None = None,
    against: str | None = None,
    by_sample: bool = False,
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
        against: The path of the experiment that all others are compared with, as the table has it;
            if not given, the best one. Its metric is what sorts, or would if nothing were given.
        by_sample: Compare out-of-fold predictions sample by sample too, which takes longer.

    Raises:
        ConfigError: If there is no experiment, or a name is not known.
    """
    root = as_path("folder", folder)
    found = find_experiments(root) if root.is_dir() else []
    read = [read_experiment(one, root) for one in found]
    if not any(one.config or one.metrics for one in read):
        _fail_empty(root, read)
    names = sorted({name for one in read for name in one.metrics}, key=place_of)
    if only_metric is not None:
        names = [known_column("--only-metric", only_metric, names)]
    parameters = _parameters(read)
    column = column_that_sorts(read, names, parameters, sort_by or only_metric)
    order = order_of(read, parameters, column)
    read = [read[i] for i in order]
    judged_by = column if column in names else column_that_sorts(read, names, {}, None)
    groups = data_groups(read)
    apart = _differences(read, _of_folds(judged_by, names), against, groups)
    return Comparison(
        experiments=tuple(read),
        parameters={key: [values[i] for i in order] for key, values in parameters.items()},
        metrics=tuple(names),
        best={
            name: positions
            for name in names
            if competes(name, read) and (positions := best_at(read, name, groups))
        },
        sorted_by=column,
        differences=with_samples(apart, read) if by_sample else apart,
        groups=groups,
    )


def _of_folds(name: str, names: Sequence[str]) -> str:
    """Name the metric of single folds behind one of all samples; the same name if there is none."""
    prefix, _, rest = name.partition("_")
    other = f"val_{rest}"
    return other if prefix in ("oof", "holdout") and other in names else name


def _differences(
    read: Sequence[Compared], metric: str, against: str | None, groups: Sequence[int]
) -> Differences:
    mode = direction_of(read, metric)
    if against is None:
        best = reference_at(read, metric, groups) if competes(metric, read) else None
        return differences(read, metric, best, mode)
    paths = {one.path: i for i, one in enumerate(read) if one.status == "finished"}
    if against not in paths:
        hint = did_you_mean(against, paths, f"finished are {', '.join([*paths][:20]) or 'none'}")
        message = f"expected the path of a finished experiment, got {against!r}"
        raise ConfigError([Problem("cli/no-such-experiment", "--against", message, hint)])
    return replace(differences(read, metric, paths[against], mode), is_best=False)


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


def _fail_empty(root: Path, read: Sequence[Compared]) -> None:
    got = "none" if root.is_dir() else "a file" if root.exists() else "no such folder"
    reasons = [f"{one.path}: {one.note}" for one in read[:5]]
    hint = "; ".join(reasons) or "an experiment is a folder with a config.yaml"
    if got == "a file":
        hint = "name the folder that it lies in, or one above that"
    message = f"expected a folder with experiments, got {got}"
    raise ConfigError([Problem("cli/no-experiments", str(root), message, hint)])
