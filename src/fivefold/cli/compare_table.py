"""The table of a comparison: all of it for a file or a pipe, what fits for a terminal."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fivefold.apps.compare import COUNTED, Compared, Comparison, shown, titled
from fivefold.evaluation.differences import Difference

_COMPARED = ("finished", "unfinished")
_GAP = 3  # columns of the terminal between two of the table
_NAMES_SHARE = 0.4  # of the width, for the names of experiments; more if they need it
_VALUE_ROOMS = (24, 14)  # letters of a value; more if values would look the same
_TITLE_ROOM = 12  # letters of a title that stay on one line
_BEST, _NOT_BEST = " *", "  "
_ALIKE = " ≈"


@dataclass(frozen=True)
class Table:
    """What is to be shown.

    Attributes:
        header: A title for each column, of several lines where it is long.
        rows: Those that have nothing to compare are left out.
        left_out: How many columns there are besides.
    """

    header: list[str]
    rows: list[list[str]]
    left_out: int = 0


@dataclass(frozen=True)
class _Column:
    title: str
    cells: Sequence[str]

    @cached_property
    def lines(self) -> list[str]:
        """The title, broken behind dots where it is wider than the cells."""
        room = max(_TITLE_ROOM, self._cell_width)
        *starts, last = self.title.split(".")
        lines = [""]
        for part in [*(f"{start}." for start in starts), last]:
            if lines[-1] and len(lines[-1] + part) > room:
                lines.append("")
            lines[-1] += part
        return lines

    @property
    def width(self) -> int:
        return max(self._cell_width, *map(len, self.lines))

    @cached_property
    def _cell_width(self) -> int:
        return max(map(len, self.cells), default=0)


def whole_table(found: Comparison) -> Table:
    """Make the table with all columns and nothing shortened, titles on one line."""
    names, metrics, keys = _columns(found)
    columns = [names, *metrics, *keys]
    return Table([column.title for column in columns], _rows(columns))


def fitting_table(found: Comparison, width: int) -> Table:
    """Make the table that fits a terminal.

    The metric that sorts comes first and is always there, the difference behind it. Then there is
    room for two keys, for a
    metric, for two keys, and so on; metrics are those of validation and the totals of what was
    trained for, and keys come in the order of their use. Names and long values are shortened in the
    middle as far as none looks like another.

    Args:
        found: What was compared.
        width: Of the terminal, in letters.
    """
    whole_names, metrics, keys = _columns(found)
    names = _shortened(whole_names, int(width * _NAMES_SHARE))
    first = metrics[: len(metrics) - len(found.metrics) + len(_first_metrics(found))]
    sorts = dict(zip(found.parameters, found.titles(), strict=True)).get(found.sorted_by)
    room = width - names.width
    chosen: dict[str, _Column] = {}
    for column in _in_turn(first, _by_use(keys, sorts)):
        fitting = _fitting(column, room - _GAP) if chosen else column
        if fitting:
            room -= fitting.width + _GAP
            chosen[column.title] = fitting
    columns = [names, *(chosen[c.title] for c in [*first, *keys] if c.title in chosen)]
    return Table(_header(columns), _rows(columns), 1 + len(metrics) + len(keys) - len(columns))


def _header(columns: Sequence[_Column]) -> list[str]:
    """Write titles of as many lines as the longest has, standing on the last one."""
    most = max(len(column.lines) for column in columns)
    return ["\n" * (most - len(column.lines)) + "\n".join(column.lines) for column in columns]


def _rows(columns: Sequence[_Column]) -> list[list[str]]:
    return [list(row) for row in zip(*(column.cells for column in columns), strict=True)]


def _columns(found: Comparison) -> tuple[_Column, list[_Column], list[_Column]]:
    """Write everything: names, metrics in the order of their interest, and keys."""
    numbers = [i for i, one in enumerate(found.experiments) if one.status in _COMPARED]
    names = _Column("experiment", [found.experiments[i].path for i in numbers])
    first = _first_metrics(found)
    # those of training last, where nobody takes them for the result
    others = sorted((n for n in found.metrics if n not in first), key=lambda n: titled(n) != n)
    metrics = [_metric(found, name, numbers) for name in [*first, *others]]
    if found.differences.compared:
        metrics[1:1] = _differences(found, numbers)
    columns = zip(found.titles(), found.parameters.values(), strict=True)
    keys = [_Column(title, [_value(values[i]) for i in numbers]) for title, values in columns]
    return names, metrics, keys


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else shown(value)


def _metric(found: Comparison, name: str, numbers: Sequence[int]) -> _Column:
    best = found.best.get(name, frozenset())
    some = [found.experiments[i].metrics.get(name, {}).get("mean", math.nan) for i in numbers]
    largest = max((abs(mean) for mean in some if math.isfinite(mean)), default=1.0)
    is_usual = (largest == 0 or 0.01 <= largest < 10_000) and name not in COUNTED
    style = ".4f" if is_usual else ".4g"
    marks = [(_BEST if i in best else _NOT_BEST) if best else "" for i in numbers]
    cells = [_cell(found.experiments[i], name, style) for i in numbers]
    return _Column(titled(name), [cell + mark for cell, mark in zip(cells, marks, strict=True)])


def _differences(found: Comparison, numbers: Sequence[int]) -> list[_Column]:
    judged = [found.differences.judged[i] for i in numbers]
    columns = [_Column("difference", _intervals([(one.difference, one.verdict) for one in judged]))]
    if any(one.by_sample for one in judged):
        both = [(one.by_sample or Difference(), "") for one in judged]
        columns.append(_Column("by sample", _intervals(both)))
    return columns


def _intervals(found: Sequence[tuple[Difference, str]]) -> list[str]:
    """Write differences with their intervals; a verdict where there is none."""
    ends = [abs(end) for one, _ in found for end in (one.mean, one.low, one.high)]
    largest = max(filter(math.isfinite, ends), default=1.0)
    style = "+.4f" if 0.01 <= largest < 10_000 else "+.3g"
    return [_interval(one, verdict, style) for one, verdict in found]


def _interval(one: Difference, verdict: str, style: str) -> str:
    if not one.has_interval:
        return verdict or "-"
    mark = _NOT_BEST if one.is_distinguishable else _ALIKE
    return f"{one.mean:{style}} [{one.low:{style}}, {one.high:{style}}]{mark}"


def _cell(one: Compared, name: str, style: str) -> str:
    spread = one.metrics.get(name, {})
    mean = spread.get("mean", math.nan)
    if math.isnan(mean):
        return "-"
    mean += name == "epoch"  # the CSV counts from 0, as the tables of training do
    return f"{mean:{style}}" + (f" ± {spread['std']:{style}}" if "std" in spread else "")


def _first_metrics(found: Comparison) -> list[str]:
    """Name what sorts and what was trained for, its totals, and validation; or else all."""
    primary = {one.primary_metric.removeprefix("val_") for one in found.experiments}

    def place(name: str) -> int | None:
        start, _, what = name.partition("_")
        # of the totals, which are in the CSV, one is enough here
        is_total = start in ("oof", "holdout") and what in primary
        is_trained_for = start == "val" and what in primary
        ranks = (name == found.sorted_by, is_trained_for, is_total, start == "val")
        return ranks.index(True) if any(ranks) else None

    places = {name: rank for name in found.metrics if (rank := place(name)) is not None}
    return sorted(places, key=lambda name: places[name]) or list(found.metrics)


def _by_use(keys: Sequence[_Column], first: str | None) -> list[_Column]:
    """Sort keys by how well they tell experiments apart, one by its title before all.

    The measure is the entropy of a key's values; of equal ones, that which more experiments have.
    One that parts the experiments as an earlier one does tells nothing new, and comes last.
    """
    by_entropy = sorted(keys, key=lambda column: (column.title != first, *_use(column)))
    parts: set[tuple[int, ...]] = set()
    new: list[_Column] = []
    again: list[_Column] = []
    for column in by_entropy:
        seen: dict[str, int] = {}
        part = tuple(seen.setdefault(cell, len(seen)) for cell in column.cells)
        (again if part in parts else new).append(column)
        parts.add(part)
    return [*new, *again]


def _use(column: _Column) -> tuple[float, int]:
    shares = [count / len(column.cells) for count in Counter(column.cells).values()]
    # rounded, so that equal shares in another order are equal
    return round(sum(share * math.log(share) for share in shares), 9), column.cells.count("")


def _in_turn(metrics: Sequence[_Column], keys: Sequence[_Column]) -> list[_Column]:
    """Put two keys behind each metric."""
    turns = [(3 * i, column) for i, column in enumerate(metrics)]
    turns += [(3 * (i // 2) + 1 + i % 2, column) for i, column in enumerate(keys)]
    return [column for _, column in sorted(turns, key=lambda turn: turn[0])]


def _fitting(column: _Column, room: int) -> _Column | None:
    """Shorten values as little as is needed; None if they fit no way."""
    ways = (_shortened(column, letters) for letters in _VALUE_ROOMS)
    return next((way for way in ways if way.width <= room), None)


def _shortened(column: _Column, room: int) -> _Column:
    """Shorten cells in the middle, as far as none looks like another."""
    distinct = set(column.cells)
    while len({_cut(cell, room) for cell in distinct}) < len(distinct):
        room *= 2
    return _Column(column.title, [_cut(cell, room) for cell in column.cells])


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    end = room // 2
    return f"{text[: room - 1 - end]}…{text[-end:]}"
