"""Options for the four sides of an image: how much is cut off or padded on each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.draws import Values, number_option

Four: TypeAlias = tuple[float, float, float, float]
Draw: TypeAlias = Callable[[np.random.Generator, Values], float]


@dataclass(frozen=True)
class Sides:
    """What to draw from, for all sides alike or for each its own.

    Attributes:
        values: One, or four: top, right, bottom, left.
    """

    values: tuple[Values, ...]

    def draw(self, rng: np.random.Generator, one: Draw, *, independently: bool) -> Four:
        """Draw top, right, bottom, left.

        Args:
            rng: Where the numbers come from.
            one: How to draw one number.
            independently: Whether sides that are alike have a number each, not one together.
        """
        if len(self.values) == 1 and not independently:
            side = one(rng, self.values[0])
            return side, side, side, side
        each = self.values if len(self.values) == 4 else self.values * 4
        top, right, bottom, left = (one(rng, values) for values in each)
        return top, right, bottom, left


def sides_option(noun: str, fits: Callable[[float], bool]) -> BeforeValidator:
    """Make the check of an option for four sides, of which every number must fit.

    Args:
        noun: What one number must be, for messages.
        fits: Says whether a finite number is that.
    """
    number: Callable[[Any], Any] = number_option(noun, fits).func  # type: ignore[assignment]

    def check(value: Any) -> Any:
        if value is None or isinstance(value, Sides):
            return value
        four = isinstance(value, list | tuple) and len(value) == 4
        try:
            return Sides(tuple(number(one) for one in (value if four else [value])))
        except ValueError as error:
            msg = f"{noun}, a range [a, b] for every side, or four: top, right, bottom, left"
            raise ValueError(msg) from error

    return BeforeValidator(check)


def _is_whole(value: float) -> bool:
    return float(value).is_integer()


_MOST = 16_384

AnyWhole = Annotated[
    Sides | None,
    sides_option("a whole number of pixels", lambda v: _is_whole(v) and abs(v) <= _MOST),
]
Whole = Annotated[
    Sides | None,
    sides_option(
        "a whole number of pixels, at least 0", lambda v: _is_whole(v) and 0 <= v <= _MOST
    ),
]
AnyPart = Annotated[
    Sides | None, sides_option("a part of the side between -1 and 10", lambda v: -1 < v <= 10)
]
CutPart = Annotated[
    Sides | None, sides_option("a part of the side of at least 0, below 1", lambda v: 0 <= v < 1)
]
PadPart = Annotated[
    Sides | None, sides_option("a part of the side from 0 to 10", lambda v: 0 <= v <= 10)
]
