"""Options that are drawn anew for every image: a number, a range or a choice.

In a YAML a list of two numbers is a range, and any other list is a choice between its items; a
mapping with `x` and `y` draws each axis on its own. `{choice: [a, b]}` is a choice between two,
which is what imgaug made of `[a, b]` from its version 0.2.6 on.
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args

import numpy as np
from pydantic import BeforeValidator, Field

from fivefold.augment.warp import Border, Mode

_MOST = 1_000_000  # what is computed from numbers further from 0 may overflow
_TOO_FAR = f"numbers from {-_MOST} to {_MOST}"

T = TypeVar("T")
Values: TypeAlias = float | list[float]
AxisValues: TypeAlias = Values | dict[Literal["x", "y"], Values]


def draw(rng: np.random.Generator, values: Values) -> float:
    """Draw a number: itself, from the range [a, b), or one of several."""
    if not isinstance(values, list):
        return float(values)
    if len(values) == 2:
        return float(rng.uniform(min(values), max(values)))
    return float(values[rng.integers(len(values))])


def draw_whole(rng: np.random.Generator, values: Values) -> float:
    """Draw a whole number; here a range includes both ends."""
    if isinstance(values, list) and len(values) == 2:
        return float(rng.integers(int(min(values)), int(max(values)), endpoint=True))
    return draw(rng, values)


def draw_axes(
    rng: np.random.Generator,
    values: AxisValues,
    default: float,
    one: Callable[[np.random.Generator, Values], float] = draw,
) -> tuple[float, float]:
    """Draw x and y: the same number for both, unless a mapping names them apart.

    Args:
        rng: Where the numbers come from.
        values: What to draw from.
        default: The number of an axis that a mapping leaves out.
        one: How to draw one number.
    """
    if isinstance(values, dict):
        return one(rng, values.get("x", default)), one(rng, values.get("y", default))
    both = one(rng, values)
    return both, both


def draw_one(rng: np.random.Generator, items: T | list[T]) -> T:
    """Draw an item of a list, each as likely as the others; what is no list is itself."""
    return items[int(rng.integers(len(items)))] if isinstance(items, list) else items


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def _are_near(values: Any) -> bool:
    items = values if isinstance(values, list | tuple) else [values]
    return all(abs(item) <= _MOST for item in items if _is_number(item))


def _are(values: Any, fits: Callable[[float], bool]) -> bool:
    items = values if isinstance(values, list | tuple) else [values]
    return len(items) > 0 and all(_is_number(item) and fits(item) for item in items)


def _plain(value: Any) -> Any:
    """Write `{choice: [a, b]}` as a list that is no range: each item as often as the other."""
    if not isinstance(value, Mapping) or set(value) != {"choice"}:
        return value
    items = value["choice"]
    return [*items, *items] if isinstance(items, list | tuple) and len(items) == 2 else items


def number_option(noun: str, fits: Callable[[float], bool]) -> BeforeValidator:
    """Make the check of an option whose every number must fit.

    Args:
        noun: What one number must be, for messages: "a number above 0".
        fits: Says whether a finite number is that.
    """

    def check(value: Any) -> Any:
        value = _plain(value)
        if not _are_near(value):
            raise ValueError(_TOO_FAR)
        if not _are(value, fits):
            msg = f"{noun}, a range [a, b] or a list to choose from"
            raise ValueError(msg)
        return value

    return BeforeValidator(check)


def between(least: float, most: float) -> BeforeValidator:
    """Make the check of an option whose numbers lie from `least` to `most`, both included."""
    return number_option(f"a number from {least} to {most}", lambda v: least <= v <= most)


def whole_between(least: int, most: int) -> BeforeValidator:
    """Make the check of an option whose numbers are whole ones from `least` to `most`."""
    noun = f"a whole number from {least} to {most}"
    return number_option(noun, lambda v: least <= v <= most and _is_whole(v))


def _is_whole(value: float) -> bool:
    return float(value).is_integer()


def _axis_option(noun: str, fits: Callable[[float], bool]) -> BeforeValidator:
    def check(value: Any) -> Any:
        value = _plain(value)
        axes = value if isinstance(value, Mapping) else {"x": value}
        axes = {axis: _plain(values) for axis, values in axes.items()}
        if not all(map(_are_near, axes.values())):
            raise ValueError(_TOO_FAR)
        if not axes or not set(axes) <= {"x", "y"} or not all(_are(v, fits) for v in axes.values()):
            msg = f"{noun}, a range [a, b], a list to choose from, or a mapping of these with x, y"
            raise ValueError(msg)
        return axes if isinstance(value, Mapping) else value

    return BeforeValidator(check)


def names_option(literal: Any) -> BeforeValidator:
    """Make the check of an option that is a name, a list of names to choose from, or `ALL`.

    Args:
        literal: A `Literal` of all names. `ALL` becomes the list of them.
    """
    known = list(get_args(literal))

    def check(value: Any) -> Any:
        if value == "ALL":
            return known
        names = value if isinstance(value, list | tuple) else [value]
        if not names or not all(name in known for name in names):
            msg = f"{', '.join(known)}, a list of these to choose from, or ALL"
            raise ValueError(msg)
        return value

    return BeforeValidator(check)


def _as_orders(value: Any) -> Any:
    every = [0, 1, 3]
    orders = every if value == "ALL" else value
    if not _are(orders, lambda v: v in every):
        msg = "0 (nearest), 1 (linear), 3 (cubic), a list of these to choose from, or ALL"
        raise ValueError(msg)
    return orders


def draw_border(
    rng: np.random.Generator, order: int | list[int], cval: Values, mode: str | list[str]
) -> Border:
    """Draw how pixels between and beyond the known ones are made."""
    return Border(draw_one(rng, order), draw_one(rng, mode), draw(rng, cval))


Probability = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[Values, number_option("a number", math.isfinite)]
Positive = Annotated[Values, number_option("a number above 0", lambda v: v > 0)]
NotNegative = Annotated[Values, number_option("a number of at least 0", lambda v: v >= 0)]
Part = Annotated[Values, between(0, 1)]
Brightness = Annotated[Values, between(0, 255)]
Exponent = Annotated[Values, between(-20, 20)]
ShearAngle = Annotated[Values, number_option("a number between -90 and 90", lambda v: -90 < v < 90)]
WholeNumber = Annotated[Values, number_option("a whole number", _is_whole)]
Count = Annotated[
    Values, number_option("a whole number of at least 0", lambda v: v >= 0 and _is_whole(v))
]
AxisNumber = Annotated[AxisValues, _axis_option("a number", math.isfinite)]
AxisFactor = Annotated[AxisValues, _axis_option("a number above 0", lambda v: v > 0)]
AxisWhole = Annotated[AxisValues, _axis_option("a whole number", _is_whole)]
Orders = Annotated[int | list[int], BeforeValidator(_as_orders)]
Modes = Annotated[str | list[str], names_option(Mode)]
