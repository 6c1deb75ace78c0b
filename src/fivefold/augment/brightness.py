"""Augmenters of brightness, as tables from the old value to the new one.

Names, options and defaults are those of imgaug 0.3; results are rounded, where imgaug cut them off.
"""

from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Table
from fivefold.augment.draws import (
    Brightness,
    NotNegative,
    Number,
    Probability,
    Values,
    draw,
    draw_whole,
    whole_between,
)
from fivefold.augment.per_channel import BRIGHTNESS, Share, for_channels, new_seed, table_of
from fivefold.core.types import Image

Byte = Annotated[int, Field(ge=0, le=255)]
Bits = Annotated[Values, whole_between(1, 8)]
Nothing = Annotated[
    None,
    BeforeValidator(lambda value: None if value in ({}, None, True) else value),
]


@augmenters.add(name="Add")
def add(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    value: Number = 0,
    per_channel: Share = 0.0,
) -> Change:
    """Add one number to all pixels, or to those of each channel another one.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        value: Brightness, of 255; negative darkens.
        per_channel: Share of the images in which each channel has its own number.
    """
    return table_of(for_channels(rng, value, per_channel), lambda old, by: old + by)


@augmenters.add(name="Multiply")
def multiply(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mul: Number = 1.0,
    per_channel: Share = 0.0,
) -> Change:
    """Multiply all pixels by one number, or those of each channel by another one.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        mul: Factor; below 1 darkens.
        per_channel: Share of the images in which each channel has its own number.
    """
    return table_of(for_channels(rng, mul, per_channel), lambda old, by: old * by)


@augmenters.add("pillike.EnhanceBrightness", name="EnhanceBrightness")
def enhance_brightness(
    rng: np.random.Generator, height: int, width: int, *, factor: NotNegative
) -> Change:
    """Blend with black: 0 is black, 1 the image, above brighter; Pillow's Brightness."""
    drawn = np.float32(draw(rng, factor))
    # Pillow and torchvision cut off what lies behind the point.
    table = np.clip(np.floor(BRIGHTNESS * drawn), 0, 255).astype(np.uint8)
    return Table(lambda _: table)


@augmenters.add(name="Invert")
def invert(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Probability,
    per_channel: Share = 0.0,
    min_value: Byte = 0,
    max_value: Byte = 255,
) -> Change:
    """Turn dark into bright, in a share `p` of the images or of their channels.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Probability for an image, or for each of its channels.
        per_channel: Share of the images in which `p` is asked for each channel.
        min_value: Becomes `max_value`; what is darker counts as this.
        max_value: Becomes `min_value`; what is brighter counts as this.

    Raises:
        ValueError: If `max_value` is not above `min_value`.
    """
    if max_value <= min_value:
        msg = f"max_value above min_value, got {max_value} and {min_value}"
        raise ValueError(msg)
    inverted = max_value + min_value - np.clip(BRIGHTNESS, min_value, max_value)
    return _chosen(rng, p, per_channel, inverted.astype(np.uint8))


@augmenters.add("pillike.Solarize", name="Solarize")
def solarize(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Probability = 1.0,
    per_channel: Share = 0.0,
    threshold: Brightness = 128.0,
) -> Change:
    """Invert what is at least as bright as a threshold, in a share `p` of the images.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Probability for an image, or for each of its channels.
        per_channel: Share of the images in which `p` is asked for each channel.
        threshold: Brightness, 0-255.
    """
    limit = draw(rng, threshold)
    solarized = np.where(limit <= BRIGHTNESS, 255 - BRIGHTNESS, BRIGHTNESS)
    return _chosen(rng, p, per_channel, solarized.astype(np.uint8))


@augmenters.add("pillike.Posterize", name="Posterize")
def posterize(rng: np.random.Generator, height: int, width: int, *, nb_bits: Bits) -> Change:
    """Keep only the highest bits of each value; 8 keeps all."""
    table = np.arange(256, dtype=np.uint8) & np.uint8(
        256 - 2 ** (8 - int(draw_whole(rng, nb_bits)))
    )
    return Table(lambda _: table)


def _chosen(rng: np.random.Generator, p: float, per_channel: float, table: Image) -> Change:
    """Apply a table in a share `p` of the images, or of the channels."""
    if rng.random() >= per_channel:
        return Table(lambda _: table) if rng.random() < p else NOTHING
    seed, same = new_seed(rng), np.arange(256, dtype=np.uint8)

    def make(channels: int) -> Image:
        changed = np.random.default_rng(seed).random(channels) < p
        return np.where(changed[:, None], table, same)

    return Table(make)
