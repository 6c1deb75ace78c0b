"""Augmenters that cut off some of each side, or pad it.

The names, options and defaults are those of imgaug 0.3. Pixels are those of the network's size, to
which every result is brought back in the end.
"""

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Size
from fivefold.augment.draws import (
    Brightness,
    draw,
    draw_whole,
)
from fivefold.augment.frames import FourWhole, Frame, PadModes, framed, padded
from fivefold.augment.sides import AnyPart, AnyWhole, CutPart, PadPart, Sides, Whole


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
    frame = padded(rng, _with_a_pixel_left(sides, (height, width)), pad_mode, pad_cval)
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
    frame = padded(rng, sides, pad_mode, pad_cval)
    return framed(frame, (height, width), keep_size=keep_size)


def _drawn_sides(
    rng: np.random.Generator,
    size: Size,
    options: tuple[Sides | None, Sides | None],
    *,
    independently: bool,
) -> FourWhole:
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


def _with_a_pixel_left(sides: FourWhole, size: Size) -> FourWhole:
    """Cut off less where nothing would be left."""
    top, right, bottom, left = sides
    top, bottom = _less_cut(top, bottom, size[0])
    left, right = _less_cut(left, right, size[1])
    return top, right, bottom, left


def _less_cut(before: int, after: int, total: int) -> tuple[int, int]:
    while total + before + after < 1:
        before, after = (before + 1, after) if before <= after else (before, after + 1)
    return before, after
