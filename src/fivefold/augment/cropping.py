"""Augmenters that cut and pad.

The names, options and defaults are those of imgaug 0.3; `RandomResizedCrop` is torchvision's.
Pixels are those of the network's size, to which every result is brought back in the end.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np
from pydantic import BeforeValidator, Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Size
from fivefold.augment.draws import (
    Brightness,
    draw,
    draw_one,
    draw_whole,
    names_option,
)
from fivefold.augment.frames import Frame, PadMode, framed
from fivefold.augment.sides import AnyPart, AnyWhole, CutPart, PadPart, Sides, Whole
from fivefold.augment.warp import Border, Warp

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

Whole4: TypeAlias = tuple[int, int, int, int]
"""Rows above, columns to the right, rows below, columns to the left."""

_PARTS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def _as_position(value: Any) -> Any:
    pair = isinstance(value, list | tuple) and len(value) == 2
    if pair and all(type(v) in (int, float) and 0 <= v <= 1 for v in value):
        return list(value)
    if isinstance(value, str) and value in get_args(Spot):
        return value
    msg = f"[x, y] from 0 to 1, or one of {', '.join(get_args(Spot))}"
    raise ValueError(msg)


def _as_pair(value: Any) -> Any:
    numbers = value if isinstance(value, list | tuple) else ()
    if len(numbers) == 2 and all(type(v) in (int, float) and 0 < v <= 1000 for v in numbers):
        return tuple(value)
    msg = "a range [a, b] of numbers above 0, up to 1000"
    raise ValueError(msg)


Position = Annotated[str | list[float], BeforeValidator(_as_position)]
Pair = Annotated[tuple[float, float], BeforeValidator(_as_pair)]
Pixels = Annotated[int, Field(ge=1, le=16_384)]
PadModes = Annotated[str | list[str], names_option(PadMode)]


@augmenters.add(name="CropAndPad")
def crop_and_pad(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    px: AnyWhole = None,
    percent: AnyPart = None,
    pad_mode: PadModes = "constant",
    pad_cval: Brightness = 0,
    keep_size: bool = True,
    sample_independently: bool = True,
) -> Change:
    """Pad each side, or cut it off where the number is below 0.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        px: Pixels of each side: a number, a range, or four for top, right, bottom, left.
        percent: The same as a part of the height or width, such as 0.1; instead of `px`.
        pad_mode: What padding holds, in NumPy's words.
        pad_cval: Brightness of `constant` padding, 0-255.
        keep_size: Whether the next augmenter gets the result in the size that there was.
        sample_independently: Whether each side has a number of its own.

    Raises:
        ValueError: If not exactly one of `px` and `percent` is set.
    """
    sides = _drawn_sides(rng, (height, width), (px, percent), independently=sample_independently)
    mode, value = draw_one(rng, pad_mode), round(draw(rng, pad_cval))
    frame = Frame(_with_a_pixel_left(sides, (height, width)), mode, value)
    return framed(frame, (height, width), keep_size=keep_size)


@augmenters.add(name="Crop")
def crop(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    px: Whole = None,
    percent: CutPart = None,
    keep_size: bool = True,
    sample_independently: bool = True,
) -> Change:
    """Cut off some of each side.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        px: As in `CropAndPad`, at least 0.
        percent: As in `CropAndPad`, at least 0 and below 1.
        keep_size: As in `CropAndPad`.
        sample_independently: As in `CropAndPad`.

    Raises:
        ValueError: If not exactly one of `px` and `percent` is set.
    """
    sides = _drawn_sides(rng, (height, width), (px, percent), independently=sample_independently)
    top, right, bottom, left = sides
    cut = _with_a_pixel_left((-top, -right, -bottom, -left), (height, width))
    return framed(Frame(cut), (height, width), keep_size=keep_size)


@augmenters.add(name="Pad")
def pad(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    px: Whole = None,
    percent: PadPart = None,
    pad_mode: PadModes = "constant",
    pad_cval: Brightness = 0,
    keep_size: bool = True,
    sample_independently: bool = True,
) -> Change:
    """Put something around the image.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        px: As in `CropAndPad`, at least 0.
        percent: As in `CropAndPad`, at least 0.
        pad_mode: As in `CropAndPad`.
        pad_cval: As in `CropAndPad`.
        keep_size: As in `CropAndPad`.
        sample_independently: As in `CropAndPad`.

    Raises:
        ValueError: If not exactly one of `px` and `percent` is set.
    """
    sides = _drawn_sides(rng, (height, width), (px, percent), independently=sample_independently)
    mode, value = draw_one(rng, pad_mode), round(draw(rng, pad_cval))
    return framed(Frame(sides, mode, value), (height, width), keep_size=keep_size)


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
    mode, value = draw_one(rng, pad_mode), round(draw(rng, pad_cval))
    return framed(Frame(sides, mode, value), (rows, columns))


@augmenters.add(name="RandomResizedCrop")
def random_resized_crop(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: Pair = (0.08, 1.0),
    ratio: Pair = (3 / 4, 4 / 3),
) -> Change:
    """Cut out a random part and enlarge it to the whole, by linear interpolation.

    As torchvision's `RandomResizedCrop`: ten times a part of the area and a ratio of the sides are
    drawn, the ratio evenly in its logarithm; the first box that fits is taken, at an even place,
    and if none does, the largest one in the centre whose ratio is allowed.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        scale: Least and largest part of the area, above 0, at most 1.
        ratio: Least and largest width by height, above 0.

    Raises:
        ValueError: If a part is above 1, or a range has its larger end first.

    References:
        Szegedy et al., 2015, https://arxiv.org/abs/1409.4842
    """
    if max(scale) > 1 or scale[0] > scale[1] or ratio[0] > ratio[1]:
        msg = f"ranges [a, b] with a <= b, scale at most 1, got scale {scale} and ratio {ratio}"
        raise ValueError(msg)
    top, left, down, across = _box(rng, (height, width), scale, ratio)
    x, y = width / across, height / down
    matrix = ((x, 0.0, (0.5 - left) * x - 0.5), (0.0, y, (0.5 - top) * y - 0.5), (0.0, 0.0, 1.0))
    return Warp(np.array(matrix), Border(1, "edge"))


def _box(
    rng: np.random.Generator, size: Size, scale: Sequence[float], ratio: Sequence[float]
) -> tuple[int, int, int, int]:
    height, width = size
    for _ in range(10):
        area = height * width * rng.uniform(scale[0], scale[1])
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        across, down = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < across <= width and 0 < down <= height:
            top = int(rng.integers(height - down, endpoint=True))
            return top, int(rng.integers(width - across, endpoint=True)), down, across
    down = min(height, round(width / min(ratio)))
    across = min(width, round(height * max(ratio)))
    return (height - down) // 2, (width - across) // 2, down, across


def _drawn_sides(
    rng: np.random.Generator,
    size: Size,
    options: tuple[Sides | None, Sides | None],
    *,
    independently: bool,
) -> Whole4:
    px, percent = options
    if px is not None and percent is None:
        top, right, bottom, left = px.draw(rng, draw_whole, independently=independently)
        return int(top), int(right), int(bottom), int(left)
    if percent is not None and px is None:
        (height, width), parts = size, percent.draw(rng, draw, independently=independently)
        top, right, bottom, left = parts
        return (
            round(top * height),
            round(right * width),
            round(bottom * height),
            round(left * width),
        )
    msg = f"one of px and percent, got {'neither' if px is None else 'both'}"
    raise ValueError(msg)


def _with_a_pixel_left(sides: Whole4, size: Size) -> Whole4:
    """Cut off less where nothing would be left."""
    top, right, bottom, left = sides
    top, bottom = _less_cut(top, bottom, size[0])
    left, right = _less_cut(left, right, size[1])
    return top, right, bottom, left


def _less_cut(before: int, after: int, total: int) -> tuple[int, int]:
    while total + before + after < 1:
        before, after = (before + 1, after) if before <= after else (before, after + 1)
    return before, after


def _shared(
    rng: np.random.Generator, position: str | list[float], across: int, down: int
) -> Whole4:
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
