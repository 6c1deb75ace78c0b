"""Augmenters that blend the results of others, or show them only some channels or other colours.

Names, options and defaults are those of imgaug 0.3, where they could not be written in a YAML.
Where two results are blended, a mask takes at each pixel that of the result that counts more.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator, Field

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Both, Change, Single, change_image, change_mask, fuse
from fivefold.augment.children import Children, OptionalChildren
from fivefold.augment.coarse import Repeats, WholeSize
from fivefold.augment.draws import Exponent, Number, Part, Probability, Values, draw, draw_whole
from fivefold.augment.per_channel import Share, as_bytes, drawn_array, for_channels, new_seed
from fivefold.augment.preprocess import resize
from fivefold.augment.smooth_noise import (
    UPSCALES,
    Aggregation,
    Upscale,
    aggregated,
    enlarged,
    frequency_noise,
    simplex_noise,
    small_size,
    steepened,
)
from fivefold.core.masks import as_nearest
from fivefold.core.types import Floats, Image

Weights: TypeAlias = Callable[[int, int, int], Floats]
"""From height, width and channels to how much of the first result is taken, 0-1 [H, W, C]; an axis
may be 1 long."""
MakeNoise: TypeAlias = Callable[[np.random.Generator, int, int], Floats]


def _as_several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Aggregations = Annotated[list[Aggregation], Field(min_length=1), BeforeValidator(_as_several)]

_LIKELY = (0.05, 0.6, 0.35)  # of `UPSCALES`, unless one is set


@augmenters.add(name="Alpha", hides_mask=True)
def alpha(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    factor: Part = 0.0,
    first: OptionalChildren = None,
    second: OptionalChildren = None,
    per_channel: Share = 0.0,
) -> Change:
    """Blend the results of two lists of augmenters: factor first + (1 - factor) second.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        factor: How much of the first is taken, 0-1.
        first: Augmenters; none leaves the image.
        second: Augmenters; none leaves the image.
        per_channel: Share of the images in which each channel has its own factor.
    """
    drawn = for_channels(rng, factor, per_channel)
    return _blended(rng, (height, width), (first, second), lambda _h, _w, n: drawn(n))


@augmenters.add(name="AlphaElementwise", hides_mask=True)
def alpha_elementwise(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    factor: Part = 0.0,
    first: OptionalChildren = None,
    second: OptionalChildren = None,
    per_channel: Share = 0.0,
) -> Change:
    """Blend as `Alpha`, with a factor of its own for every pixel.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        factor: How much of the first is taken, 0-1.
        first: Augmenters; none leaves the image.
        second: Augmenters; none leaves the image.
        per_channel: Share of the images in which each channel of a pixel has its own factor.
    """
    seed, differ = new_seed(rng), rng.random() < per_channel

    def weights(h: int, w: int, channels: int) -> Floats:
        shape = (h, w, channels if differ else 1)
        return drawn_array(np.random.default_rng(seed), factor, shape)

    return _blended(rng, (height, width), (first, second), weights)


@augmenters.add(name="SimplexNoiseAlpha", hides_mask=True)
def simplex_noise_alpha(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    first: OptionalChildren = None,
    second: OptionalChildren = None,
    per_channel: Share = 0.0,
    size_px_max: WholeSize = [2, 16],  # noqa: B006  read only
    upscale_method: Upscale | None = None,
    iterations: Repeats = [1, 3],  # noqa: B006  read only
    aggregation_method: Aggregations = ["max"],  # noqa: B006  read only
    sigmoid: Probability = 1.0,
    sigmoid_thresh: Number | None = None,
) -> Change:
    """Blend two results by a map of simplex noise, which makes connected blobs.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        first: Augmenters; none leaves the image.
        second: Augmenters; none leaves the image.
        per_channel: Share of the images in which each channel has its own map.
        size_px_max: Pixels of the longer side of the map, before it is enlarged.
        upscale_method: How: `nearest`, `linear` or `cubic`; default mostly one of the last two.
        iterations: How many maps are joined.
        aggregation_method: How: `min`, `avg` or `max`, or a list to choose from.
        sigmoid: Share of the images in which the map is pulled towards 0 and 1.
        sigmoid_thresh: Above 0 less of the first is taken then; default normal, deviation 5.
    """
    options = (size_px_max, upscale_method, iterations, aggregation_method)
    weights = _noise_weights(
        rng, simplex_noise, options, per_channel, _steepness(rng, sigmoid, sigmoid_thresh)
    )
    return _blended(rng, (height, width), (first, second), weights)


@augmenters.add(name="FrequencyNoiseAlpha", hides_mask=True)
def frequency_noise_alpha(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    exponent: Exponent = [-4.0, 4.0],  # noqa: B006  read only
    first: OptionalChildren = None,
    second: OptionalChildren = None,
    per_channel: Share = 0.0,
    size_px_max: WholeSize = [4, 16],  # noqa: B006  read only
    upscale_method: Upscale | None = None,
    iterations: Repeats = [1, 3],  # noqa: B006  read only
    aggregation_method: Aggregations = ["avg", "max"],  # noqa: B006  read only
    sigmoid: Probability = 0.5,
    sigmoid_thresh: Number | None = None,
) -> Change:
    """Blend two results by a map of noise of chosen frequencies.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        exponent: Of the frequencies: below 0 is smooth like clouds, 0 is white noise.
        first: Augmenters; none leaves the image.
        second: Augmenters; none leaves the image.
        per_channel: Share of the images in which each channel has its own map.
        size_px_max: Pixels of the longer side of the map, before it is enlarged.
        upscale_method: How: `nearest`, `linear` or `cubic`; default mostly one of the last two.
        iterations: How many maps are joined.
        aggregation_method: How: `min`, `avg` or `max`, or a list to choose from.
        sigmoid: Share of the images in which the map is pulled towards 0 and 1.
        sigmoid_thresh: Above 0 less of the first is taken then; default normal, deviation 5.
    """

    def noise(own: np.random.Generator, h: int, w: int) -> Floats:
        return frequency_noise(own, h, w, draw(own, exponent))

    options = (size_px_max, upscale_method, iterations, aggregation_method)
    weights = _noise_weights(
        rng, noise, options, per_channel, _steepness(rng, sigmoid, sigmoid_thresh)
    )
    return _blended(rng, (height, width), (first, second), weights)


def _steepness(rng: np.random.Generator, sigmoid: float, threshold: Values | None) -> float | None:
    if rng.random() >= sigmoid:
        return None
    return float(rng.normal(0, 5)) if threshold is None else draw(rng, threshold)


def _noise_weights(
    rng: np.random.Generator,
    noise: MakeNoise,
    options: tuple[Values, Upscale | None, Values, list[Aggregation]],
    per_channel: float,
    steepness: float | None,
) -> Weights:
    longest, how, iterations, joined = options
    seed, differ = new_seed(rng), rng.random() < per_channel

    def one(own: np.random.Generator, h: int, w: int) -> Floats:
        small = small_size(h, w, int(draw_whole(own, longest)))
        up = how or UPSCALES[int(own.choice(len(UPSCALES), p=_LIKELY))]
        return enlarged(noise(own, *small), h, w, up)

    def weights(h: int, w: int, channels: int) -> Floats:
        own, layers = np.random.default_rng(seed), []
        for _ in range(channels if differ else 1):
            maps = [one(own, h, w) for _ in range(int(draw_whole(own, iterations)))]
            layers.append(aggregated(maps, joined[int(own.integers(len(joined)))]))
        joint = np.stack(layers, axis=2)
        return joint if steepness is None else steepened(joint, steepness)

    return weights


def _drawn(
    children: Children | None, rng: np.random.Generator, size: tuple[int, int]
) -> list[Single]:
    return fuse(children.draw(rng, *size)) if children else []


def _blended(
    rng: np.random.Generator,
    size: tuple[int, int],
    children: tuple[Children | None, Children | None],
    weights: Weights,
) -> Change:
    first, second = (_drawn(one, rng, size) for one in children)

    def image(pixels: Image) -> Image:
        height, width, channels = pixels.shape
        share = weights(height, width, channels)
        one, other = (resize(change_image(pixels, c), height, width) for c in (first, second))
        return as_bytes(share * one + (1 - share) * other)

    def mask(classes: Image) -> Image:
        height, width = classes.shape[:2]
        share = np.broadcast_to(weights(height, width, 1), (height, width, 1))
        one, other = (as_nearest(change_mask(classes, c), height, width) for c in (first, second))
        chosen = share[..., 0] if classes.ndim == 2 else share
        return np.where(chosen >= 0.5, one, other)

    return Both(image, mask)
