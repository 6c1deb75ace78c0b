"""Augmenters that replace some pixels, or blocks of them, by other values.

Names, options and defaults are those of imgaug 0.3: salt and pepper are drawn from a Beta(1/2, 1/2)
distribution, most of which is near black and white.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.coarse import Grid, MinSize, PartSize, WholeSize, draw_grid
from fivefold.augment.draws import Number, Part, Values, draw
from fivefold.augment.per_channel import Share, as_bytes, drawn_array, new_seed, places
from fivefold.core.types import AnyArray, Image

Sample: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], AnyArray]


@augmenters.add(name="ReplaceElementwise")
def replace_elementwise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mask: Part,
    replacement: Number,
    per_channel: Share = 0.0,
) -> Change:
    """Replace a share of the pixels.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        mask: Share of the pixels, 0-1.
        replacement: What they become, each its own number, of 255.
        per_channel: Share of the images in which channels are replaced each by itself.
    """
    return _replaced(rng, mask, per_channel, lambda own, s: drawn_array(own, replacement, s))


@augmenters.add(name="SaltAndPepper")
def salt_and_pepper(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Part = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Turn a share of the pixels mostly black or white.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Share of the pixels, 0-1.
        per_channel: Share of the images in which channels are replaced each by itself.
    """
    return _replaced(rng, p, per_channel, _both)


@augmenters.add(name="ImpulseNoise")
def impulse_noise(rng: np.random.Generator, height: int, width: int, *, p: Part = 0.0) -> Change:
    """Salt and pepper in each channel by itself, on a share `p` of its values."""
    return _replaced(rng, p, 1.0, _both)


@augmenters.add(name="Salt")
def salt(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Part = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Turn a share of the pixels mostly white; options as of `SaltAndPepper`."""
    return _replaced(rng, p, per_channel, _bright)


@augmenters.add(name="Pepper")
def pepper(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p: Part = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Turn a share of the pixels mostly black; options as of `SaltAndPepper`."""
    return _replaced(rng, p, per_channel, _dark)


@augmenters.add(name="CoarseSaltAndPepper")
def coarse_salt_and_pepper(
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
    """Turn a share of the blocks of pixels mostly black or white.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p: Share of the blocks, 0-1.
        size_px: How many blocks lie along each side.
        size_percent: The same as a part of the pixels there; one of the two is required.
        per_channel: Share of the images in which channels are replaced each by itself.
        min_size: The fewest blocks along a side.
    """
    grid = draw_grid(rng, (height, width), (size_px, size_percent), min_size)
    return _replaced(rng, p, per_channel, _both, grid)


@augmenters.add(name="CoarseSalt")
def coarse_salt(
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
    """Turn a share of the blocks mostly white; options as of `CoarseSaltAndPepper`."""
    grid = draw_grid(rng, (height, width), (size_px, size_percent), min_size)
    return _replaced(rng, p, per_channel, _bright, grid)


@augmenters.add(name="CoarsePepper")
def coarse_pepper(
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
    """Turn a share of the blocks mostly black; options as of `CoarseSaltAndPepper`."""
    grid = draw_grid(rng, (height, width), (size_px, size_percent), min_size)
    return _replaced(rng, p, per_channel, _dark, grid)


def _both(rng: np.random.Generator, shape: tuple[int, ...]) -> AnyArray:
    return 255 * rng.beta(0.5, 0.5, shape)


def _bright(rng: np.random.Generator, shape: tuple[int, ...]) -> AnyArray:
    return 255 * (0.5 + np.abs(rng.beta(0.5, 0.5, shape) - 0.5))


def _dark(rng: np.random.Generator, shape: tuple[int, ...]) -> AnyArray:
    return 255 * (0.5 - np.abs(rng.beta(0.5, 0.5, shape) - 0.5))


def _replaced(
    rng: np.random.Generator,
    p: Values,
    per_channel: float,
    sample: Sample,
    grid: Grid | None = None,
) -> Change:
    """Replace a share of the pixels, or of a grid's cells, by samples, one for each pixel."""
    chance, differ, seed = draw(rng, p), rng.random() < per_channel, new_seed(rng)

    def change(image: Image) -> Image:
        own = np.random.default_rng(seed)
        shape = places(image, per_channel=differ)
        cells = grid or Grid(*shape[:2])
        hit = cells.map(own, shape, lambda rng, small: rng.random(small, np.float32) < chance)
        changed = image.copy()
        if differ:
            changed[hit] = as_bytes(sample(own, (int(hit.sum()),)))
        else:
            changed[hit[..., 0]] = as_bytes(sample(own, (int(hit.sum()), 1)))
        return changed

    return Pixels(change)
