"""Augmenters that spread values by how frequent they are, in the whole image or around each pixel.

Names, options and defaults are those of imgaug 0.3. Those that are not of all channels work on
the lightness of the first three, and on each channel of images with fewer.
"""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.draws import Positive, Values, draw, draw_whole, whole_between
from fivefold.augment.per_channel import (
    ChannelValues,
    ImageFunction,
    Share,
    channel_by_channel,
    for_channels,
    on_colours,
)
from fivefold.augment.spaces import Space, convert
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

LightSpace: TypeAlias = Literal["Lab", "HLS", "HSV"]
Tiles = Annotated[Values, whole_between(1, 256)]
Fewest = Annotated[int, Field(ge=1, le=256)]

_LIGHTNESS = {"Lab": 0, "HLS": 1, "HSV": 2}


@augmenters.add(name="CLAHE")
def clahe(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    clip_limit: Positive = 40.0,
    tile_grid_size_px: Tiles = 8,
    tile_grid_size_px_min: Fewest = 3,
    from_colorspace: Space = "RGB",
    to_colorspace: LightSpace = "Lab",
) -> Change:
    """Equalize lightness around each pixel, with limited contrast (CLAHE).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        clip_limit: How much more frequent than the mean a value may count.
        tile_grid_size_px: How many tiles, each with its own histogram, lie along each side.
        tile_grid_size_px_min: The fewest of them.
        from_colorspace: What the image is written in.
        to_colorspace: Whose lightness: `Lab`, `HLS` or `HSV`.
    """
    tiles = max(int(draw_whole(rng, tile_grid_size_px)), tile_grid_size_px_min)
    change = partial(_clahe, limit=draw(rng, clip_limit), tiles=tiles)
    return _of_lightness(change, from_colorspace, to_colorspace)


@augmenters.add(name="AllChannelsCLAHE")
def all_channels_clahe(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    clip_limit: Positive = 40.0,
    tile_grid_size_px: Tiles = 8,
    tile_grid_size_px_min: Fewest = 3,
    per_channel: Share = 0.0,
) -> Change:
    """Equalize each channel around each pixel, with limited contrast.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        clip_limit: How much more frequent than the mean a value may count.
        tile_grid_size_px: How many tiles, each with its own histogram, lie along each side.
        tile_grid_size_px_min: The fewest of them.
        per_channel: Share of the images in which each channel has its own limit.
    """
    tiles = max(int(draw_whole(rng, tile_grid_size_px)), tile_grid_size_px_min)
    limits = for_channels(rng, clip_limit, per_channel)
    return Pixels(partial(_all_clahe, limits=limits, tiles=tiles))


@augmenters.add(name="HistogramEqualization")
def histogram_equalization(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    from_colorspace: Space = "RGB",
    to_colorspace: LightSpace = "Lab",
) -> Change:
    """Make all values of the lightness about equally frequent.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        from_colorspace: What the image is written in.
        to_colorspace: Whose lightness: `Lab`, `HLS` or `HSV`.
    """
    return _of_lightness(_equalized, from_colorspace, to_colorspace)


@augmenters.add(name="AllChannelsHistogramEqualization")
def all_channels_histogram_equalization(
    rng: np.random.Generator, height: int, width: int
) -> Change:
    """Make all values of each channel about equally frequent."""
    return Pixels(partial(channel_by_channel, change=_equalized))


def _equalized(channel: Image) -> Image:
    return np.asarray(cv2.equalizeHist(channel), np.uint8)


def _clahe(channel: Image, limit: float, tiles: int) -> Image:
    return np.asarray(cv2.createCLAHE(limit, (tiles, tiles)).apply(channel), np.uint8)


def _all_clahe(image: Image, limits: ChannelValues, tiles: int) -> Image:
    channels = image.shape[2]
    each = np.broadcast_to(limits(channels), channels).tolist()
    parts = np.moveaxis(image, 2, 0)
    changed = [
        _clahe(np.ascontiguousarray(part), limit, tiles)
        for part, limit in zip(parts, each, strict=True)
    ]
    return np.stack(changed, axis=2)


def _of_lightness(change: ImageFunction, origin: Space, space: LightSpace) -> Change:
    def in_colour(image: Image) -> Image:
        written = convert(image, origin, space).copy()
        place = _LIGHTNESS[space]
        written[..., place] = change(np.ascontiguousarray(written[..., place]))
        return convert(written, space, origin)

    def run(image: Image) -> Image:
        if image.shape[2] < 3:
            return channel_by_channel(image, change)
        return on_colours(in_colour)(image)

    return Pixels(run)
