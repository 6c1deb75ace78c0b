"""LRVariator, Musket's chains of learning rates: pieces with a shape, a length and a next one.

Where in its chain a step is follows from the step alone, so nothing is remembered.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AliasChoices, Field, TypeAdapter, ValidationError, WrapValidator

from fivefold.core.catalog import At
from fivefold.core.errors import Problem
from fivefold.optim.schedules import Moment, Positive, Rate, schedules
from fivefold.optim.scheduling import check_schedule

Shape: TypeAlias = Literal["const", "linear", "sin", "sin+", "sin-", "cos", "cos-", "cos+"]

SHAPES: Mapping[str, Callable[[float], float]] = {
    "const": lambda t: 0.0 * t,
    "linear": lambda t: t,
    "sin": lambda t: math.sin(math.pi * t / 2),
    "sin+": lambda t: math.sin(math.pi * t / 2),
    "sin-": lambda t: 1 - math.sin(math.pi * t / 2),
    "cos": lambda t: math.cos(math.pi * t / 2),
    "cos-": lambda t: math.cos(math.pi * t / 2),
    "cos+": lambda t: 1 - math.cos(math.pi * t / 2),
}
"""From the part of a piece that is done, 0-1, to the part of the way that its rate has gone."""

_STYLES: TypeAdapter[str | float] = TypeAdapter(Shape | Positive)


def _read_style(value: Any, _: object) -> str | float:
    try:
        return _STYLES.validate_python(value)
    except ValidationError as error:
        msg = f"a number above 0 or one of {', '.join(SHAPES)}"
        raise ValueError(msg) from error


@dataclass(frozen=True)
class _Piece:
    """One part of a chain in steps: it acts from `start` to before `end`, again in each period."""

    start: int
    end: int
    period: int  # 0: none
    from_val: float | None
    to_val: float
    shape: Callable[[float], float]

    def place(self, step: int) -> int:
        """Say where in its period a step is."""
        return step % self.period if self.period else step

    def acts(self, step: int) -> bool:
        """Say whether it sets the rate after a step."""
        return self.start <= self.place(step) < self.end

    def newest(self, step: int) -> int:
        """Find the last step up to this one in which it acts; -1 if there is none."""
        if self.start == self.end:
            return -1
        place = self.place(step)
        begin = step - place
        if place < self.start:  # in this period it has not begun: look at the one before
            begin, place = begin - self.period, self.period - 1
        if begin < 0 or place < self.start:
            return -1
        return begin + min(place, self.end - 1)

    def rate(self, step: int, start: float) -> float:
        """Compute the rate that it sets after a step in which it acts."""
        own = self.end - self.start
        part = (self.place(step) - self.start) / (own - 1) if own > 1 else 0.0
        return max(start + self.shape(part) * (self.to_val - start), 0.0)


def _clash(options: Mapping[str, Any]) -> str:
    if (options["abs_size"] is None) == (options["rel_size"] is None):
        return "one of absSize (in steps) and relSize (in epochs) says how long it lasts"
    if options["period_epochs"] is not None and options["period_steps"] is not None:
        return "periodEpochs and periodSteps exclude each other"
    return ""


def _next_problems(value: Any, at: At, key: str) -> list[Problem]:
    """Check the next piece, if it is one; another callback is for whoever knows callbacks."""
    then = value.get("then") if isinstance(value, Mapping) else None
    if then is None:
        return []
    if not isinstance(then, Mapping) or len(then) != 1:
        message = f"{key}.then: expected one callback with its options, got {then!r}"
        hint = "write for example `then: {LRVariator: {relSize: 1, toVal: 1e-4}}`"
        return [Problem("config/bad-value", at("then"), message, hint)]
    name, options = next(iter(then.items()))
    if not _is_variator(name):
        return []
    return check_schedule(name, options, lambda *path: at("then", name, *path), f"{key}.then")


@schedules.add(callback=True, clash=_clash, inner=_next_problems)
@dataclass(frozen=True, kw_only=True)
class LRVariator:
    """Goes from one learning rate to another in some steps, then on with the next in its chain.

    After the n-th of its N steps, counted from 0, the rate is from + r(t) (to - from), at least 0,
    with t = n / (N - 1), or 0 where N is 1. r is 0 (`const`), t (`linear`), sin(pi t / 2) (`sin`,
    `sin+`), 1 - sin(pi t / 2) (`sin-`), cos(pi t / 2) (`cos`, `cos-`), 1 - cos(pi t / 2) (`cos+`),
    or t^a for a number a. So the first step of a stage has the stage's `lr`, and a chain that has
    ended leaves its last rate.

    Attributes:
        from_val: Where it starts; the rate that it finds, if not given.
        to_val: Where it goes.
        style: The shape of the way, or a number above 0: its power.
        rel_size: How many epochs it lasts.
        abs_size: How many steps it lasts; one of both is needed.
        period_epochs: Epochs after which the chain starts anew; those after it have the same.
        period_steps: The same in steps.
        then: The next piece, `{LRVariator: {…}}`, or a callback such as ReduceLROnPlateau, which
            sees all epochs and may lower the rate as soon as the chain has ended.

    References:
        `musket_core`, `lr_variation.py` and `callback_module.py`.
    """

    from_val: Annotated[
        Rate | None, Field(validation_alias=AliasChoices("fromVal", "from_val"))
    ] = None
    to_val: Annotated[Rate, Field(validation_alias=AliasChoices("toVal", "to_val"))] = 0.006
    style: Annotated[str | float, WrapValidator(_read_style)] = "linear"
    rel_size: Annotated[
        Annotated[float, Field(ge=0, le=1e6)] | None,
        Field(validation_alias=AliasChoices("relSize", "rel_size")),
    ] = None
    abs_size: Annotated[
        Annotated[int, Field(ge=0, le=10**9)] | None,
        Field(validation_alias=AliasChoices("absSize", "abs_size")),
    ] = None
    period_epochs: Annotated[
        Annotated[float, Field(gt=0, le=1e6)] | None,
        Field(validation_alias=AliasChoices("periodEpochs", "period_epochs")),
    ] = None
    period_steps: Annotated[
        Annotated[int, Field(ge=1, le=10**9)] | None,
        Field(validation_alias=AliasChoices("periodSteps", "period_steps")),
    ] = None
    then: Any = None

    def __call__(self, now: Moment) -> float:
        """Give the learning rate of a step."""
        rate, since = self._set(now, now.step - 1)
        # What a callback has made of the rate between two epochs counts until a piece sets it.
        return rate if since >= now.epoch * now.per_epoch else rate * now.lr / now.given

    def at_end(self, now: Moment) -> tuple[float, float]:
        """Say what rate there is at the end of an epoch, before callbacks change it.

        Args:
            now: The last step of the epoch.

        Returns:
            The rate that the chain has set, and the part of it that is left of earlier cuts.
        """
        rate, since = self._set(now, now.step)
        return rate, 1.0 if since >= now.epoch * now.per_epoch else now.lr / now.given

    def _set(self, now: Moment, step: int) -> tuple[float, int]:
        """Find the rate that the chain has set once a step has ended, and in which step it did."""
        pieces = self._pieces(now.per_epoch)
        newest = max((piece.newest(step) for piece in pieces), default=-1) if step >= 0 else -1
        return _rate(pieces, step, now.given), newest

    def _pieces(self, per_epoch: int) -> list[_Piece]:
        pieces: list[_Piece] = []
        variator: LRVariator | None = self
        start = period = 0
        while variator is not None:
            own = variator.abs_size
            if own is None:
                own = int((variator.rel_size or 0) * per_epoch + 0.5)
            period = period or variator._period(per_epoch)
            style = variator.style
            shape = SHAPES[style] if isinstance(style, str) else _power(style)
            ends = (variator.from_val, variator.to_val)
            pieces.append(_Piece(start, start + own, period, *ends, shape))
            start, variator = start + own, _next(variator)
        return pieces

    def _period(self, per_epoch: int) -> int:
        if self.period_steps is not None:
            return self.period_steps
        return max(
            round((self.period_epochs or 0) * per_epoch), int(self.period_epochs is not None)
        )


def _rate(pieces: list[_Piece], step: int, given: float) -> float:
    """Find the rate after a step: that of whichever piece acted last, the later one of two."""
    newest = [piece.newest(step) if step >= 0 else -1 for piece in pieces]
    last = max(newest, default=-1)
    if last < 0:
        return given
    index = max(i for i, found in enumerate(newest) if found == last)
    piece = pieces[index]
    start = piece.from_val
    if start is None:  # the rate that it found when it acted for the first time
        start = _rate(pieces[:index], piece.start, given)
    return piece.rate(last, start)


def _power(exponent: float) -> Callable[[float], float]:
    return lambda t: t**exponent


def _is_variator(name: object) -> bool:
    found = schedules.find(str(name))
    return found is not None and found.make is LRVariator


def _next(variator: LRVariator) -> LRVariator | None:
    if variator.then is None or not _is_variator(next(iter(variator.then))):
        return None
    ((name, options),) = variator.then.items()
    accepted, _ = schedules.get(name).check(options)
    return LRVariator(**accepted)


def last_of_chain(value: Any) -> tuple[tuple[str, ...], str, Any] | None:
    """Find the callback that takes over at the end of a chain, as it was written.

    Args:
        value: What stands behind `LRVariator` in a config.

    Returns:
        The keys that lead to it, its name and its options; None where a chain has none.
    """
    path: tuple[str, ...] = ()
    while isinstance(value, Mapping) and isinstance(value.get("then"), Mapping) and value["then"]:
        name, options = next(iter(value["then"].items()))
        path = (*path, "then", str(name))
        if not _is_variator(name):
            return path, str(name), options
        value = options
    return None
