"""Augmenters of colour: of red, green and blue in the first three channels; others stay.

Names, options and defaults are those of imgaug 0.3. Hues lie on a circle of 256 steps, saturation
is 0-255. An image of fewer than three channels has no colour, and is refused.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels
from fivefold.augment.draws import NotNegative, Number, Part, Probability, Values, draw
from fivefold.augment.per_channel import (
    ImageFunction,
    Share,
    as_bytes,
    channels_within,
    mixed,
    new_seed,
    on_colours,
)
from fivefold.augment.spaces import Space, convert, from_hue_saturation, to_hue_saturation
from fivefold.core.types import Floats, Image

Channels: TypeAlias = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None
Turn: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Floats]]


@augmenters.add(name="Grayscale", colour=True)
def grayscale(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Part = 0.0,
    from_colorspace: Space = "RGB",
) -> Change:
    """Take the colour away: 0 keeps it, 1 leaves shades of grey."""
    change = partial(_through_space, to="GRAY", origin=from_colorspace, alpha=draw(rng, alpha))
    return Pixels(on_colours(change))


@augmenters.add("InColorspace", name="ChangeColorspace", colour=True)
def change_colorspace(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    to_colorspace: Space,
    from_colorspace: Space = "RGB",
    alpha: Part = 1.0,
) -> Change:
    """Write red, green and blue as numbers of another colour space.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        to_colorspace: `RGB`, `BGR`, `GRAY`, `CIE`, `YCrCb`, `HSV`, `HLS`, `Lab` or `Luv`.
        from_colorspace: What the image is written in.
        alpha: How much of the result is taken, the rest being the image, 0-1.
    """
    change = partial(
        _through_space, to=to_colorspace, origin=from_colorspace, alpha=draw(rng, alpha)
    )
    return Pixels(on_colours(change))


@augmenters.add(name="MultiplyHueAndSaturation", colour=True)
def multiply_hue_and_saturation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mul: Number | None = None,
    mul_hue: Number | None = None,
    mul_saturation: Number | None = None,
    per_channel: Share = 0.0,
    from_colorspace: Space = "RGB",
) -> Change:
    """Multiply hue and saturation.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        mul: Factor of both; instead of the two others.
        mul_hue: Factor of the hue.
        mul_saturation: Factor of the saturation; 0 leaves shades of grey.
        per_channel: Share of the images in which both draw their own number from `mul`.
        from_colorspace: What the image is written in.

    Raises:
        ValueError: If `mul` is set beside one of the others, or nothing is set.
    """
    hue, saturation = _both(rng, "mul", (mul, mul_hue, mul_saturation), per_channel, 1.0)
    return _turned(lambda h, s: (h * np.float32(hue), s * np.float32(saturation)), from_colorspace)


@augmenters.add(name="MultiplyHue", colour=True)
def multiply_hue(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mul: Number = [-1.0, 1.0],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
) -> Change:
    """Multiply the hue, as an angle from red."""
    factor = np.float32(draw(rng, mul))
    return _turned(lambda h, s: (h * factor, s), from_colorspace)


@augmenters.add(name="MultiplySaturation", colour=True)
def multiply_saturation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mul: NotNegative = [0.0, 3.0],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
) -> Change:
    """Multiply the saturation: 0 leaves shades of grey, above 1 strengthens colours."""
    factor = np.float32(draw(rng, mul))
    return _turned(lambda h, s: (h, s * factor), from_colorspace)


@augmenters.add(name="AddToHueAndSaturation", colour=True)
def add_to_hue_and_saturation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    value: Number | None = None,
    value_hue: Number | None = None,
    value_saturation: Number | None = None,
    per_channel: Share = 0.0,
    from_colorspace: Space = "RGB",
) -> Change:
    """Add to hue and saturation.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        value: For both; instead of the two others.
        value_hue: Of the hue's circle of 256 steps.
        value_saturation: Of 255.
        per_channel: Share of the images in which both draw their own number from `value`.
        from_colorspace: What the image is written in.

    Raises:
        ValueError: If `value` is set beside one of the others, or nothing is set.
    """
    hue, saturation = _both(rng, "value", (value, value_hue, value_saturation), per_channel, 0.0)
    return _turned(lambda h, s: (h + np.float32(hue), s + np.float32(saturation)), from_colorspace)


@augmenters.add(name="AddToHue", colour=True)
def add_to_hue(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    value: Number = [-255.0, 255.0],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
) -> Change:
    """Turn all colours round the circle of hues, whose length is 256."""
    shift = np.float32(draw(rng, value))
    return _turned(lambda h, s: (h + shift, s), from_colorspace)


@augmenters.add(name="AddToSaturation", colour=True)
def add_to_saturation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    value: Number = [-75.0, 75.0],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
) -> Change:
    """Add to the saturation, of 255: below 0 towards grey."""
    shift = np.float32(draw(rng, value))
    return _turned(lambda h, s: (h, s + shift), from_colorspace)


@augmenters.add(name="ChannelShuffle")
def channel_shuffle(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Probability = 1.0,
    channels: Channels = None,
) -> Change:
    """Exchange channels at random, in a share `p` of the images.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Probability for an image.
        channels: Which of them, from 0; default all.
    """
    if rng.random() >= p:
        return NOTHING
    seed = new_seed(rng)

    def change(image: Image) -> Image:
        taken = channels_within(channels, image.shape[2])
        order = np.arange(image.shape[2])
        order[taken] = np.random.default_rng(seed).permutation(taken)
        return np.ascontiguousarray(image[..., order])

    return Pixels(change)


def _both(
    rng: np.random.Generator,
    name: str,
    options: tuple[Values | None, Values | None, Values | None],
    per_channel: float,
    neutral: float,
) -> tuple[float, float]:
    """Draw the number of the hue and that of the saturation, from one option or two others."""
    both, hue, saturation = options
    if (both is None) == (hue is None and saturation is None):
        msg = f"either {name}, or {name}_hue and {name}_saturation"
        raise ValueError(msg)
    if both is not None:
        first = draw(rng, both)
        return first, draw(rng, both) if rng.random() < per_channel else first
    of_hue = neutral if hue is None else draw(rng, hue)
    return of_hue, neutral if saturation is None else draw(rng, saturation)


def _turned(turn: Turn, origin: Space) -> Pixels:
    """Change hue and saturation: the hue goes round, the saturation ends at 0 and 255."""

    def change(image: Image) -> Image:
        hsv = to_hue_saturation(convert(image, origin, "RGB"))
        hue, saturation = turn(hsv[..., 0], hsv[..., 1])
        hsv[..., 0] = hue - 256 * np.floor(hue / 256)
        hsv[..., 1] = np.clip(saturation, 0, 255)
        return convert(as_bytes(from_hue_saturation(hsv)), "RGB", origin)

    return Pixels(on_colours(change))


def _through_space(image: Image, to: Space, origin: Space, alpha: float) -> Image:
    return mixed(image, convert(image, origin, to), alpha) if alpha else image


def in_space(change: ImageFunction, space: Space, origin: Space) -> ImageFunction:
    """Apply a change to colours as another space writes them, and write them back."""

    def run(image: Image) -> Image:
        return convert(change(convert(image, origin, space)), space, origin)

    return run
