"""Read the metrics of epochs: of a run folder in any state, or of one table."""

import csv
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, TypeAlias

from fivefold.core.errors import ConfigError, DataError, Problem, StateError, did_you_mean
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.engine.history import read_history
from fivefold.evaluation import resolve_monitor

logger = logging.getLogger(__name__)

Rows: TypeAlias = Sequence[Mapping[str, float]]

_CONFIGS = (".yaml", ".yml")
_PLACE = re.compile(r"metrics-(\d+)\.(\d+)\.csv")
_RATE = "lr"


@dataclass(frozen=True)
class Log:
    """The metrics of all epochs.

    Attributes:
        name: What they are of.
        histories: By fold and stage; each epoch's metrics by name.
    """

    name: str
    histories: Mapping[tuple[int, int], Rows]

    @property
    def folds(self) -> list[int]:
        """The folds that have epochs."""
        return sorted({fold for fold, _ in self.histories})

    @property
    def lengths(self) -> dict[int, int]:
        """Stage to its number of epochs, that of its longest fold."""
        lengths: dict[int, int] = {}
        for (_, stage), rows in sorted(self.histories.items(), key=lambda item: item[0][1]):
            lengths[stage] = max(lengths.get(stage, 0), len(rows))
        return lengths

    @property
    def columns(self) -> list[str]:
        """The names of all metrics."""
        found = {name for rows in self.histories.values() for row in rows for name in row}
        return sorted(found)


def read_log(path: Path) -> Log:
    """Read what there is to draw.

    Args:
        path: An experiment in any state, its config, or a table of epochs such as Keras's
            CSVLogger writes.

    Raises:
        DataError: If a table is none of epochs.
        StateError: If nothing was trained yet.
    """
    if path.is_file() and path.suffix.casefold() not in _CONFIGS:
        return Log(path.stem, dict(stages_of(path)))
    folder = RunFolder.of(path)
    if not path.exists():
        msg = f"{path}: expected an experiment, or a table of epochs, got nothing of this name"
        raise StateError(msg, slug="state/no-metrics")
    histories: dict[tuple[int, int], Rows] = {}
    for table in sorted((folder.root / "metrics").glob("metrics-*.csv")):
        place = _PLACE.fullmatch(table.name)
        if place is None:
            continue
        try:
            rows = read_history(table)
        except StateError as error:
            logger.warning("left out: %s", error)
            continue
        if rows:
            histories[int(place[1]), int(place[2])] = rows
    if not histories:
        msg = f"{folder.root / 'metrics'}: expected the metrics of an epoch, got none"
        hint = f"they come with the first epoch of `fivefold fit {folder.argument}`"
        raise StateError(msg, hint=hint, slug="state/no-metrics")
    by_name = folder.config_path.name != CONFIG_NAME
    return Log(folder.config_path.stem if by_name else folder.root.resolve().name, histories)


def choose_metrics(log: Log, wanted: Sequence[str] = ()) -> dict[str, list[str]]:
    """Choose what is drawn: title to columns, that of the validation samples first.

    Args:
        log: What there is.
        wanted: Metrics or single columns; none means all metrics, the loss first.

    Raises:
        ConfigError: If there is no such metric.
    """
    columns = log.columns
    if not wanted:
        bases = sorted({name.removeprefix("val_") for name in columns} - {_RATE})
        wanted = sorted(bases, key=lambda base: (base != "loss", not base.endswith("loss"), base))
    chosen = {}
    for name in wanted:
        base = name.removeprefix("val_")
        spellings = [name] if name != base else [f"val_{base}", base]
        found = [resolve_monitor(spelling, columns) for spelling in spellings]
        known = [column for column in found if column is not None]
        if not known:
            message = f"--metric: expected a metric of the run, got {name!r}"
            hint = did_you_mean(name, columns, f"there are {', '.join(columns)}")
            raise ConfigError([Problem("cli/no-such-metric", "", message, hint)])
        chosen[known[0].removeprefix("val_") if len(known) > 1 else known[0]] = known
    return chosen


def stages_of(path: Path) -> Iterator[tuple[tuple[int, int], Rows]]:
    """Read a table with a column of epochs; where their numbers begin anew, a stage begins.

    Raises:
        DataError: If it is no such table.
    """
    header, rows = _table(path)
    column = [name.casefold() for name in header].index("epoch")
    numbers = [_number(path, line, row[column]) for line, row in rows]
    starts = [0] + [i for i, (before, now) in enumerate(pairwise(numbers), 1) if now <= before]
    metrics = [
        {
            name: _number(path, line, cell)
            for k, (name, cell) in enumerate(zip(header, row, strict=True))
            if k != column and cell not in ("", "NA")
        }
        for line, row in rows
    ]
    for stage, (start, end) in enumerate(pairwise([*starts, len(rows)])):
        yield (0, stage), metrics[start:end]


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        _refuse(path, str(error))
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    header, *rows = [[cell.strip() for cell in row] for row in reader if row] or [[]]
    if "epoch" not in map(str.casefold, header) or len(header) < 2:
        _refuse(path, f"the columns {header[:8]!r}")
    whole = [(line, row) for line, row in enumerate(rows, 2) if len(row) == len(header)]
    if len(whole) < len(rows) - 1 or not whole:  # the last may be half written
        _refuse(path, "no rows" if not rows else "rows of other lengths than the header")
    return header, whole


def _number(path: Path, line: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        _refuse(f"{path}:{line}", repr(cell))


def _refuse(where: Path | str, found: str) -> NoReturn:
    msg = f"{where}: expected a table of numbers with a column `epoch`, got {found}"
    hint = "such as Keras's CSVLogger writes; an experiment is named by its folder"
    raise DataError(msg, hint=hint, slug="data/not-a-log")
