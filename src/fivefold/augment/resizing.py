"""Augmenters that resize: here they lose detail, or shape what comes between them.

The names, options and defaults are those of imgaug 0.3. Every result is brought back to the
network's size in the end.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, size_after
from fivefold.augment.children import ChildrenOption
from fivefold.augment.draws import draw, draw_one, draw_whole, names_option
from fivefold.augment.frames import Interpolation, resized

Keep: TypeAlias = Literal["keep", "keep-aspect-ratio"]
Length: TypeAlias = int | float | list[int] | list[float] | Keep
Interpolations = Annotated[str | list[str], names_option(Interpolation)]

_MOST = 16_384


def _fits(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 1 <= value <= _MOST if isinstance(value, int) else 0 < value <= 10


def _is_length(value: Any) -> bool:
    items = value if isinstance(value, list | tuple) else [value]
    kinds = {type(item) for item in items}
    return bool(items) and all(map(_fits, items)) and len(kinds) == 1


def _as_size(value: Any) -> Any:
    axes = dict(value) if isinstance(value, Mapping) else {"height": value, "width": value}
    named = [length for length in axes.values() if length in get_args(Keep)]
    fits = all(length in get_args(Keep) or _is_length(length) for length in axes.values())
    is_circle = named.count("keep-aspect-ratio") == 2
    if not axes or not set(axes) <= {"height", "width"} or not fits or is_circle:
        msg = (
            "pixels (a whole number), a part (a number with a point), a range [a, b] or a list of "
            "either, 'keep', or a mapping of these with height, width, one of which may be "
            "'keep-aspect-ratio'"
        )
        raise ValueError(msg)
    return axes if isinstance(value, Mapping) else value


SizeOption = Annotated[Length | dict[str, Length], BeforeValidator(_as_size)]


@augmenters.add("Scale", name="Resize")
def resize(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    size: SizeOption,
    interpolation: Interpolations = "cubic",
) -> Change:
    """Resize to pixels or to a part of the size.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        size: Of both sides, or a mapping with `height` and `width`. A whole number is pixels, a
            number with a point is a part; `keep` leaves a side, `keep-aspect-ratio` follows the
            other one.
        interpolation: `nearest`, `linear`, `area`, `cubic`, or a list of them.
    """
    axes = size if isinstance(size, dict) else None
    both = _drawn_length(rng, "keep" if isinstance(size, dict) else size)
    lengths = {
        name: both if axes is None else _drawn_length(rng, axes.get(name, "keep"))
        for name in ("height", "width")
    }
    pixels = {
        "height": _pixels(lengths["height"], height),
        "width": _pixels(lengths["width"], width),
    }
    if lengths["height"] == "keep-aspect-ratio":
        pixels["height"] = max(1, round(height * pixels["width"] / width))
    if lengths["width"] == "keep-aspect-ratio":
        pixels["width"] = max(1, round(width * pixels["height"] / height))
    return resized((pixels["height"], pixels["width"]), draw_one(rng, interpolation))


@augmenters.add(name="KeepSizeByResize", children="children")
def keep_size_by_resize(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    children: ChildrenOption,
    interpolation: Interpolations = "cubic",
) -> Change:
    """Apply its augmenters and bring the result to the size that there was before them.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        children: The augmenters.
        interpolation: As in `Resize`.
    """
    drawn, how = children.draw(rng, height, width), draw_one(rng, interpolation)
    is_kept = size_after(drawn, (height, width)) == (height, width)
    return drawn if is_kept else (drawn, resized((height, width), how))


def _drawn_length(rng: np.random.Generator, length: Length) -> int | float | str:
    if isinstance(length, int | float | str):
        return length
    numbers = [float(item) for item in length]
    if all(isinstance(item, int) for item in length):
        return int(draw_whole(rng, numbers))
    return draw(rng, numbers)


def _pixels(length: int | float | str, total: int) -> int:
    if isinstance(length, str):
        return total
    return length if isinstance(length, int) else max(1, round(length * total))
