"""Axes of parallel coordinates: where each experiment crosses a key or a metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fivefold.apps.compare.writing import shown
from fivefold.config import ABSENT

_RATIO = 30  # from here on, numbers are told apart by their size alone
_FEW = 6  # values that all get a tick; and how many ticks there are of more
_MOST_TICKS = 12
_ROOM = 0.12  # of the axis, for those that have no value
_HUGE, _TINY = 1e300, 1e-300  # beyond, sums and shares of doubles are no numbers any more
_CLOSE = 0.045  # ticks would write on each other
NOT_SET = "not set"


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        title: The key or the metric.
        places: Where each experiment crosses it, 0 (low) to 1.
        texts: The value of each.
        ticks: Place and text of what is written beside it.
        is_metric: Whether it is a metric; then better is higher.
    """

    title: str
    places: tuple[float, ...]
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]
    is_metric: bool = False


def axis_of_key(title: str, values: Sequence[Any]) -> Axis:
    """Make the axis of a config's key: of numbers, if all that are set are, else of texts.

    Args:
        title: What is written above it.
        values: One for each experiment, ABSENT where it is not set.
    """
    known = [value for value in values if value is not ABSENT]
    texts = tuple(NOT_SET if value is ABSENT else shown(value) for value in values)
    if all(map(_is_number, known)):
        numbers = [math.nan if value is ABSENT else float(value) for value in values]
        return Axis(title, *_measured(numbers, texts))
    return Axis(title, *_named(texts))


def axis_of_metric(title: str, means: Sequence[float], mode: str | None) -> Axis:
    """Make the axis of a metric.

    Args:
        title: Its name.
        means: One for each experiment, NaN where there is none.
        mode: Which way it is better; `min` is turned, so that better is higher.
    """
    texts = tuple(NOT_SET if math.isnan(mean) else f"{mean:.4g}" for mean in means)
    places, texts, ticks = _measured(means, texts, is_turned=mode == "min", most=1)
    return Axis(title, places, texts, ticks, is_metric=True)


_Drawn = tuple[tuple[float, ...], tuple[str, ...], tuple[tuple[float, str], ...]]


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and -_HUGE < value < _HUGE


def _measured(
    numbers: Sequence[float], texts: tuple[str, ...], *, is_turned: bool = False, most: int = _FEW
) -> _Drawn:
    """Place numbers, by their logarithms where they are far apart.

    Args:
        numbers: NaN where there is none.
        texts: What is said of each.
        is_turned: Whether the lowest is on top.
        most: Of how many values each gets a tick.
    """
    known = sorted({number for number in numbers if math.isfinite(number)})
    if not known:
        return tuple(0.0 for _ in texts), texts, ((0.0, NOT_SET),)
    low, high = known[0], known[-1]
    is_log = low > 0 and high / low >= _RATIO
    base = 0.0 if all(map(math.isfinite, numbers)) else _ROOM

    def place(number: float) -> float:
        if not math.isfinite(number):
            return 0.0
        if low == high:
            return base + (1 - base) / 2
        first, last, here = map(math.log, (low, high, number)) if is_log else (low, high, number)
        share = (here - first) / (last - first)
        return base + (1 - base) * (1 - share if is_turned else share)

    marks = known if len(known) <= most else _ticks(low, high, is_log=is_log)
    ticks = _apart([(place(mark), f"{mark:.4g}") for mark in marks])
    nothing = [(0.0, NOT_SET)] if base else []
    return tuple(map(place, numbers)), texts, (*nothing, *ticks)


def _ticks(low: float, high: float, *, is_log: bool) -> list[float]:
    """Find round numbers in a range: powers of ten, or multiples of 2, 5 or 10 times one."""
    if is_log:
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        return [10.0**power for power in powers] if len(powers) > 1 else [low, high]
    if high - low < _TINY:
        return [low]
    size = 10 ** math.floor(math.log10(high - low))
    step = next(s * size for s in (0.2, 0.5, 1.0, 2.0) if (high - low) / (s * size) <= _FEW)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _named(texts: tuple[str, ...]) -> _Drawn:
    """Give each text a place of its own, that of what is not set at the end."""
    names = sorted(set(texts), key=lambda text: (text != NOT_SET, text))
    last = max(1, len(names) - 1)
    place = {name: i / last if len(names) > 1 else 0.5 for i, name in enumerate(names)}
    step = math.ceil(len(names) / _MOST_TICKS)
    ticks = tuple((place[name], name) for name in names[::step])
    return tuple(place[text] for text in texts), texts, ticks


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Leave out ticks that would write on the one before."""
    kept: list[tuple[float, str]] = []
    for tick in sorted(ticks):
        if not kept or tick[0] - kept[-1][0] >= _CLOSE:
            kept.append(tick)
    return kept
