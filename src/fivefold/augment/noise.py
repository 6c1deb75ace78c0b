"""Augmenters of noise: a number of its own for every pixel.

Names, options and defaults are those of imgaug 0.3.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.draws import NotNegative, Number, draw
from fivefold.augment.per_channel import Share, as_bytes, drawn_array, new_seed, places
from fivefold.core.types import AnyArray, Image

Sample: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], AnyArray]


@augmenters.add(name="AddElementwise")
def add_elementwise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    value: Number = 0,
    per_channel: Share = 0.0,
) -> Change:
    """Add to each pixel a number of its own.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        value: Brightness, of 255; negative darkens.
        per_channel: Share of the images in which each channel of a pixel has its own number.
    """
    return _added(rng, per_channel, lambda own, shape: drawn_array(own, value, shape))


@augmenters.add(name="MultiplyElementwise")
def multiply_elementwise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    mul: Number = 1.0,
    per_channel: Share = 0.0,
) -> Change:
    """Multiply each pixel by a number of its own.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        mul: Factor; below 1 darkens.
        per_channel: Share of the images in which each channel of a pixel has its own number.
    """
    seed, differ = new_seed(rng), rng.random() < per_channel

    def change(image: Image) -> Image:
        own = np.random.default_rng(seed)
        return as_bytes(image * drawn_array(own, mul, places(image, per_channel=differ)))

    return Pixels(change)


@augmenters.add(name="AdditiveGaussianNoise")
def additive_gaussian_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    loc: Number = 0.0,
    scale: NotNegative = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Add noise from a normal distribution.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        loc: Mean, of 255.
        scale: Standard deviation, of 255.
        per_channel: Share of the images in which each channel of a pixel has its own number.
    """
    mean, spread = np.float32(draw(rng, loc)), np.float32(draw(rng, scale))
    return _added(
        rng, per_channel, lambda own, shape: mean + spread * own.standard_normal(shape, np.float32)
    )


@augmenters.add(name="AdditiveLaplaceNoise")
def additive_laplace_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    loc: Number = 0.0,
    scale: NotNegative = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Add noise from a Laplace distribution, which has more large numbers than a normal one.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        loc: Mean, of 255.
        scale: Mean distance from `loc`; the standard deviation is 1.41 times that.
        per_channel: Share of the images in which each channel of a pixel has its own number.
    """
    mean, spread = draw(rng, loc), draw(rng, scale)
    return _added(rng, per_channel, lambda own, shape: own.laplace(mean, spread, shape))


@augmenters.add(name="AdditivePoissonNoise")
def additive_poisson_noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    lam: NotNegative = 0.0,
    per_channel: Share = 0.0,
) -> Change:
    """Add noise from a Poisson distribution, each number above or below 0 by chance.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        lam: Mean of its size, of 255.
        per_channel: Share of the images in which each channel of a pixel has its own number.
    """
    rate = draw(rng, lam)

    def sample(own: np.random.Generator, shape: tuple[int, ...]) -> AnyArray:
        noise: AnyArray = own.poisson(rate, shape) * own.choice([-1, 1], shape)
        return noise

    return _added(rng, per_channel, sample)


def _added(rng: np.random.Generator, per_channel: float, sample: Sample) -> Change:
    seed, differ = new_seed(rng), rng.random() < per_channel

    def change(image: Image) -> Image:
        noise = sample(np.random.default_rng(seed), places(image, per_channel=differ))
        return as_bytes(image + noise.astype(np.float32))

    return Pixels(change)
