"""What pixel augmenters share: numbers for channels and for pixels, and the way back to bytes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.changes import Table
from fivefold.augment.draws import Values, draw
from fivefold.core.errors import DataError
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

ChannelValues: TypeAlias = Callable[[int], Floats]
"""From a number of channels to one value [1], or one for each of them [C]."""

ImageFunction: TypeAlias = Callable[[Image], Image]

BRIGHTNESS: Floats = np.arange(256, dtype=np.float32)
"""All that a byte can be: a table is a function of it, rounded."""


def _as_share(value: Any) -> float:
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value)
    msg = "true, false, or a probability from 0 to 1"
    raise ValueError(msg)


Share = Annotated[float, BeforeValidator(_as_share)]
"""An option `per_channel`: in which share of the images each channel has a number of its own."""


def new_seed(rng: np.random.Generator) -> int:
    """Draw a seed, for numbers of which it is not yet known how many are needed."""
    return int(rng.integers(2**63))


def for_channels(
    rng: np.random.Generator,
    values: Values,
    share: float,
    one: Callable[[np.random.Generator, Values], float] = draw,
) -> ChannelValues:
    """Draw one number for all channels; in a share of the images, one for each channel.

    Args:
        rng: Where the numbers come from.
        values: What to draw from.
        share: In which share of the images channels differ, 0-1.
        one: How to draw one number.
    """
    if rng.random() < share:
        seed = new_seed(rng)
        return lambda channels: _several(seed, values, channels, one)
    value = one(rng, values)
    return lambda _: np.array([value], np.float32)


def _several(
    seed: int,
    values: Values,
    channels: int,
    one: Callable[[np.random.Generator, Values], float],
) -> Floats:
    rng = np.random.default_rng(seed)
    return np.array([one(rng, values) for _ in range(channels)], np.float32)


def table_of(values: ChannelValues, formula: Callable[[Floats, Floats], AnyArray]) -> Table:
    """Make a change of each brightness alone.

    Args:
        values: What was drawn for the channels.
        formula: From brightness [256] and values [1 or C, 1] to new brightness [1 or C, 256].
    """

    def make(channels: int) -> Image:
        table = as_bytes(formula(BRIGHTNESS, values(channels)[:, None]))
        return table[0] if len(table) == 1 else table

    return Table(make)


def drawn_array(rng: np.random.Generator, values: Values, shape: tuple[int, ...]) -> Floats:
    """Draw one number for each place: from the range [a, b), or one of several."""
    if not isinstance(values, list):
        return np.full(shape, values, np.float32)
    if len(values) == 2:
        low, high = min(values), max(values)
        return np.float32(low) + np.float32(high - low) * rng.random(shape, np.float32)
    return np.asarray(values, np.float32)[rng.integers(len(values), size=shape)]


def places(image: Image, *, per_channel: bool) -> tuple[int, int, int]:
    """Shape of what is drawn for each pixel: [H, W, 1], or [H, W, C]."""
    height, width, channels = image.shape
    return height, width, channels if per_channel else 1


def as_bytes(values: AnyArray) -> Image:
    """Round to whole numbers from 0 to 255; halves go to the even one."""
    pixels: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return pixels


def mixed(image: Image, other: Image, alpha: float) -> Image:
    """Blend: `(1 - alpha) image + alpha other`, rounded; alpha may lie outside 0-1."""
    if alpha == 0:
        return image
    if alpha == 1:
        return other
    blended = cv2.addWeighted(other, alpha, image, 1 - alpha, 0)
    return np.asarray(blended, np.uint8).reshape(image.shape)


def on_colours(change: ImageFunction) -> ImageFunction:
    """Apply a change of RGB to the first three channels; any further ones stay as they are."""

    def run(image: Image) -> Image:
        channels = image.shape[2]
        if channels < 3:
            msg = f"image: expected at least 3 channels for an augmenter of colours, got {channels}"
            hint = "remove the augmenter, or set `shape: [height, width, 3]`"
            raise DataError(msg, hint=hint, slug="data/no-colour")
        if channels == 3:
            return change(image)
        changed = change(np.ascontiguousarray(image[..., :3]))
        return np.concatenate([changed, image[..., 3:]], axis=2)

    return run


def channels_within(chosen: list[int] | None, channels: int) -> list[int]:
    """Say which channels are meant; None means all.

    Raises:
        DataError: If the image has not got one of them.
    """
    if chosen is None:
        return list(range(channels))
    if max(chosen) >= channels:
        msg = f"image: expected a channel {max(chosen)}, got channels 0 to {channels - 1}"
        hint = "channels of augmenters count from 0; the last number of `shape` says how many"
        raise DataError(msg, hint=hint, slug="data/no-channel")
    return chosen


def channel_by_channel(image: Image, change: ImageFunction) -> Image:
    """Apply a change of a grey image [H, W] to every channel alone."""
    changed = [change(np.ascontiguousarray(image[..., i])) for i in range(image.shape[2])]
    return np.stack(changed, axis=2)
