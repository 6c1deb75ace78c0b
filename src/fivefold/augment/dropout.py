"""Augmenters that take pixels out: single ones, blocks, or one rectangle.

Names, options and defaults are those of imgaug (0.3; Cutout and TotalDropout 0.4), of
torchvision for RandomErasing.
"""

import math
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels, Table
from fivefold.augment.coarse import Grid, MinSize, PartSize, Repeats, WholeSize, draw_grid
from fivefold.augment.draws import Brightness, Part, Probability, Values, draw, draw_whole
from fivefold.augment.per_channel import Share, new_seed, places
from fivefold.core.types import Image

PartRange = Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=2, max_length=2)]
RatioRange = Annotated[
    list[Annotated[float, Field(gt=0, le=1000)]], Field(min_length=2, max_length=2)
]
Box: TypeAlias = tuple[slice, slice]

_ATTEMPTS = 10  # as in torchvision: a rectangle of that area and shape may not fit


@augmenters.add(name="Dropout")
def dropout(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Part = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Turn a share of the pixels black.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Share of the pixels, 0-1.
        per_channel: Share of the images in which channels are dropped each by itself.
    """
    return _dropped(rng, p, per_channel, Grid(height, width))


@augmenters.add(name="CoarseDropout")
def coarse_dropout(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Part = 0.0,
    size_px: WholeSize | None = None,
    size_percent: PartSize | None = None,
    per_channel: Share = 0.0,
    min_size: MinSize = 4,
) -> Change:
    """Turn a share of the blocks of pixels black.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Share of the blocks, 0-1.
        size_px: How many blocks lie along each side.
        size_percent: The same as a part of the pixels there; one of the two is required.
        per_channel: Share of the images in which channels are dropped each by itself.
        min_size: The fewest blocks along a side.
    """
    grid = draw_grid(rng, (height, width), (size_px, size_percent), min_size)
    return _dropped(rng, p, per_channel, grid)


@augmenters.add(name="TotalDropout")
def total_dropout(
    rng: np.random.Generator, height: int, width: int, *, p: Probability = 1.0
) -> Change:
    """Turn the whole image black, in a share `p` of the images."""
    black = np.zeros(256, np.uint8)
    return Table(lambda _: black) if rng.random() < p else NOTHING


@augmenters.add(name="Cutout")
def cutout(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    nb_iterations: Repeats = 1,
    position: Literal["uniform", "center"] = "uniform",
    size: PartSize = 0.2,
    squared: bool = True,
    fill_mode: Literal["constant", "gaussian"] = "constant",
    cval: Brightness = 128.0,
    fill_per_channel: Share = 0.0,
) -> Change:
    """Fill rectangles of the image, after DeVries and Taylor, 2017 (arXiv 1708.04552).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        nb_iterations: How many rectangles.
        position: Where their centres lie: anywhere, or in the middle.
        size: Their sides as parts of the image's; what lies outside is cut off.
        squared: Whether they are squares, by the image's shorter side.
        fill_mode: `constant`, or `gaussian`: noise around medium brightness.
        cval: Brightness for `constant`, 0-255.
        fill_per_channel: Share of the images in which each channel has its own filling.
    """
    boxes = []
    for _ in range(int(draw_whole(rng, nb_iterations))):
        part = draw(rng, size)
        if squared:
            tall = wide = part * min(height, width)
        else:
            tall, wide = part * height, draw(rng, size) * width
        middle = rng.random(2) if position == "uniform" else (0.5, 0.5)
        boxes.append((_span(middle[0], tall, height), _span(middle[1], wide, width)))
    return _filled(rng, boxes, cval if fill_mode == "constant" else None, fill_per_channel)


@augmenters.add(name="RandomErasing")
def random_erasing(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Probability = 0.5,
    scale: PartRange = [0.02, 0.33],  # noqa: B006  read only
    ratio: RatioRange = [0.3, 3.3],  # noqa: B006  read only
    value: Brightness | Literal["random"] = 0.0,
) -> Change:
    """Fill one rectangle, after Zhong et al., 2017 (arXiv 1708.04896), as torchvision does.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Share of the images in which it happens.
        scale: Smallest and largest area, as parts of the image's.
        ratio: Smallest and largest ratio of height to width; drawn evenly on a logarithmic scale.
        value: Brightness that it is filled with, or `random`: noise around medium brightness. In
            torchvision 0 is black or the mean, by what comes before; here it is black.
    """
    if rng.random() >= p:
        return NOTHING
    low, high = sorted(math.log(edge) for edge in ratio)
    for _ in range(_ATTEMPTS):
        area = height * width * rng.uniform(min(scale), max(scale))
        shape = math.exp(rng.uniform(low, high))
        tall, wide = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
        if tall < height and wide < width:
            top = int(rng.integers(height - tall, endpoint=True))
            left = int(rng.integers(width - wide, endpoint=True))
            box = (slice(top, top + tall), slice(left, left + wide))
            return _filled(rng, [box], None if value == "random" else value, 1.0)
    return NOTHING


def _span(middle: float, length: float, total: int) -> slice:
    start = middle * total - length / 2
    return slice(max(round(start), 0), min(round(start + length), total))


def _filled(
    rng: np.random.Generator, boxes: list[Box], value: Values | None, per_channel: float
) -> Change:
    """Fill boxes with one brightness, or with noise: normal, mean 127.5, standard deviation 42."""
    differ, seed = rng.random() < per_channel, new_seed(rng)

    def change(image: Image) -> Image:
        own, changed = np.random.default_rng(seed), image.copy()
        for box in boxes:
            shape = places(changed[box], per_channel=differ)
            if value is None:
                filling = own.normal(127.5, 42.5, shape)
            else:
                filling = np.array([draw(own, value) for _ in range(shape[2])])
            changed[box] = np.clip(np.rint(filling), 0, 255)
        return changed

    return Pixels(change)


def _dropped(rng: np.random.Generator, p: Values, per_channel: float, grid: Grid) -> Change:
    chance, differ, seed = draw(rng, p), rng.random() < per_channel, new_seed(rng)

    def change(image: Image) -> Image:
        shape = places(image, per_channel=differ)
        kept = grid.map(
            np.random.default_rng(seed),
            shape,
            lambda own, small: own.random(small, np.float32) >= chance,
        )
        return image * kept.astype(np.uint8)

    return Pixels(change)
