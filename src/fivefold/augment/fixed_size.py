"""Augmenters that cut or pad to a size.

The names, options and defaults are those of imgaug 0.3. Pixels are those of the network's size, to
which every result is brought back in the end.
"""

from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np
from pydantic import BeforeValidator, Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change
from fivefold.augment.draws import Brightness
from fivefold.augment.frames import FourWhole, Frame, PadModes, framed, padded

Spot: TypeAlias = Literal[
    "uniform",
    "normal",
    "center",
    "left-top",
    "center-top",
    "right-top",
    "left-center",
    "center-center",
    "right-center",
    "left-bottom",
    "center-bottom",
    "right-bottom",
]

_PARTS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def _as_position(value: Any) -> Any:
    pair = isinstance(value, list | tuple) and len(value) == 2
    if pair and all(type(v) in (int, float) and 0 <= v <= 1 for v in value):
        return list(value)
    if isinstance(value, str) and value in get_args(Spot):
        return value
    msg = f"[x, y] from 0 to 1, or one of {', '.join(get_args(Spot))}"
    raise ValueError(msg)


Position = Annotated[str | list[float], BeforeValidator(_as_position)]
Pixels = Annotated[int, Field(ge=1, le=16_384)]


@augmenters.add(name="CropToFixedSize")
def crop_to_fixed_size(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    *,
    width: Pixels,
    height: Pixels,
    position: Position = "uniform",
) -> Change:
    """Cut off what is more than a width and a height; what is less stays.

    Args:
        rng: Where the numbers come from.
        rows: The image's height in pixels.
        columns: The image's width in pixels.
        width: Most pixels across.
        height: Most pixels down.
        position: Which part of the cut falls to the right and the bottom: [x, y] from 0 to 1, a
            corner or side, `uniform` or `normal` about the centre.
    """
    across, down = max(columns - width, 0), max(rows - height, 0)
    top, right, bottom, left = _shared(rng, position, across, down)
    return framed(Frame((-top, -right, -bottom, -left)), (rows, columns))


@augmenters.add(name="PadToFixedSize")
def pad_to_fixed_size(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    *,
    width: Pixels,
    height: Pixels,
    pad_mode: PadModes = "constant",
    pad_cval: Brightness = 0,
    position: Position = "uniform",
) -> Change:
    """Pad to a width and a height; what is more stays.

    Args:
        rng: Where the numbers come from.
        rows: The image's height in pixels.
        columns: The image's width in pixels.
        width: Fewest pixels across.
        height: Fewest pixels down.
        pad_mode: As in `CropAndPad`.
        pad_cval: As in `CropAndPad`.
        position: Which part of the padding falls to the right and the bottom; as in
            `CropToFixedSize`.
    """
    across, down = max(width - columns, 0), max(height - rows, 0)
    sides = _shared(rng, position, across, down)
    return framed(padded(rng, sides, pad_mode, pad_cval), (rows, columns))


def _shared(
    rng: np.random.Generator, position: str | list[float], across: int, down: int
) -> FourWhole:
    """Share columns and rows among the sides: top, right, bottom, left."""
    x, y = _drawn_position(rng, position)
    right, bottom = round(across * x), round(down * y)
    return down - bottom, right, bottom, across - right


def _drawn_position(rng: np.random.Generator, position: str | list[float]) -> tuple[float, float]:
    if not isinstance(position, str):
        return position[0], position[1]
    if position == "uniform":
        return rng.random(), rng.random()
    if position == "normal":
        x, y = np.clip(rng.normal(0.5, 0.175, 2), 0, 1)
        return float(x), float(y)
    across, _, down = position.partition("-")
    return _PARTS[across], _PARTS[down or across]
