"""Augmenters of weather: snow and rain.

Names, options and defaults are those of imgaug (0.3; Rain 0.4), and so is what each option means;
the pictures are drawn by the formulas given here.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np

from fivefold.augment.blur import way
from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.coarse import Repeats
from fivefold.augment.draws import (
    Brightness,
    NotNegative,
    Number,
    Part,
    Values,
    between,
    draw,
    draw_whole,
)
from fivefold.augment.per_channel import as_bytes, new_seed, on_colours
from fivefold.augment.smooth_noise import enlarged
from fivefold.augment.spaces import Space, convert
from fivefold.core.optional import late
from fivefold.core.types import Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Sigma = Annotated[Values, between(0, 100)]

_GATE = 8  # cells along each side of where much falls and where little


@dataclass(frozen=True)
class Fall:
    """One layer of what falls.

    Attributes:
        density: Share of the image that it covers, however long its ways are, 0-1.
        evenness: 1: everywhere as much; 0: much here, nothing there.
        size: 0-1; a place is a square of 1 / (1 - size) pixels, at most a quarter of the image.
        likeness: 1: all as bright; 0: bright and dark.
        angle: Degrees of the way from the vertical.
        speed: Length of the way as a part of the longer side.
    """

    density: float
    evenness: float
    size: float
    likeness: float
    angle: float
    speed: float


@augmenters.add(name="FastSnowyLandscape", colour=True)
def fast_snowy_landscape(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    lightness_threshold: Brightness = [100.0, 255.0],  # noqa: B006  read only
    lightness_multiplier: NotNegative = [1.0, 4.0],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
) -> Change:
    """Lay snow on a landscape: brighten what is darker than a threshold, as lightness of HLS.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        lightness_threshold: What is darker is brightened, 0-255.
        lightness_multiplier: Factor of its lightness.
        from_colorspace: What the image is written in.
    """
    threshold, factor = draw(rng, lightness_threshold), draw(rng, lightness_multiplier)
    lightness = np.arange(256, dtype=np.float32)
    table = as_bytes(np.where(lightness < threshold, lightness * factor, lightness))

    def change(image: Image) -> Image:
        written = convert(image, from_colorspace, "HLS").copy()
        written[..., 1] = table[written[..., 1]]
        return convert(written, "HLS", from_colorspace)

    return Pixels(on_colours(change))


@augmenters.add(name="SnowflakesLayer")
def snowflakes_layer(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    density: Part,
    density_uniformity: Part,
    flake_size: Part,
    flake_size_uniformity: Part,
    angle: Number,
    speed: Part,
    blur_sigma_fraction: NotNegative = [0.0001, 0.001],  # noqa: B006  read only
    blur_sigma_limits: Sigma = [0.5, 3.75],  # noqa: B006  read only
) -> Change:
    """Draw one layer of falling snowflakes.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        density: Share of the image that flakes cover, however long their ways are.
        density_uniformity: 1: flakes are as many everywhere; 0: many here, none there.
        flake_size: Size of flakes, 0-1.
        flake_size_uniformity: 1: all flakes are as bright; 0: bright and dark ones.
        angle: Degrees of their way from the vertical.
        speed: Length of their way as a part of the image's longer side.
        blur_sigma_fraction: Blur as a part of the longer side.
        blur_sigma_limits: The least and the most blur in pixels.
    """
    low, high = _limits(blur_sigma_limits)
    sigma = draw(rng, blur_sigma_fraction) * max(height, width)
    options = (density, density_uniformity, flake_size, flake_size_uniformity, angle, speed)
    fall = Fall(*(draw(rng, values) for values in options))
    return _falling(rng, fall, min(max(sigma, low), high))


@augmenters.add(name="Snowflakes")
def snowflakes(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    density: Part = [0.005, 0.075],  # noqa: B006  read only
    density_uniformity: Part = [0.3, 0.9],  # noqa: B006  read only
    flake_size: Part = [0.2, 0.7],  # noqa: B006  read only
    flake_size_uniformity: Part = [0.4, 0.8],  # noqa: B006  read only
    angle: Number = [-30.0, 30.0],  # noqa: B006  read only
    speed: Part = [0.007, 0.03],  # noqa: B006  read only
) -> Change:
    """Draw one to three layers of falling snowflakes; options as of `SnowflakesLayer`."""
    options = (density, density_uniformity, flake_size, flake_size_uniformity, angle, speed)
    layers = []
    for _ in range(int(rng.integers(1, 4))):
        fall = Fall(*(draw(rng, values) for values in options))
        sigma = rng.uniform(0.0001, 0.001) * max(height, width)
        layers.append(_falling(rng, fall, min(max(sigma, 0.5), 3.75)))
    return tuple(layers)


@augmenters.add(name="Rain")
def rain(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    nb_iterations: Repeats = [1, 3],  # noqa: B006  read only
    drop_size: Part = [0.01, 0.02],  # noqa: B006  read only
    speed: Part = [0.04, 0.2],  # noqa: B006  read only
) -> Change:
    """Draw layers of falling rain, which is denser, finer and faster than snow.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        nb_iterations: How many layers.
        drop_size: Size of drops, 0-1.
        speed: Length of their way as a part of the image's longer side.
    """
    layers = []
    for _ in range(int(draw_whole(rng, nb_iterations))):
        density, angle = rng.uniform(0.03, 0.14), rng.uniform(-15, 15)
        size, way_length = draw(rng, drop_size), draw(rng, speed)
        fall = Fall(density, 0.9, size, 0.35, angle, way_length)
        layers.append(_falling(rng, fall, 0.5))
    return tuple(layers)


def _limits(values: Values) -> tuple[float, float]:
    return (min(values), max(values)) if isinstance(values, list) else (values, values)


def _falling(rng: np.random.Generator, fall: Fall, sigma: float) -> Change:
    """Draw a layer: what it covers by a share s becomes image + s (255 - image)."""
    return Pixels(partial(_covered, fall=fall, sigma=sigma, seed=new_seed(rng)))


def _covered(image: Image, fall: Fall, sigma: float, seed: int) -> Image:
    values = image.astype(np.float32)
    height, width, _ = image.shape
    share = flakes(np.random.default_rng(seed), height, width, fall, sigma)[..., None]
    return as_bytes(values + share * (255 - values))


def flakes(rng: np.random.Generator, height: int, width: int, fall: Fall, sigma: float) -> Floats:
    """Draw how much of each pixel is covered by what falls, 0-1 [H, W].

    Args:
        rng: Where the numbers come from.
        height: In pixels.
        width: In pixels.
        fall: What falls.
        sigma: Standard deviation of its blur in pixels.
    """
    side = min(1 / max(1 - fall.size, 1e-3), max(min(height, width) / 4, 1.0))
    rows, columns = max(round(height / side), 1), max(round(width / side), 1)
    length = max(int(fall.speed * max(height, width)), 1)
    # A way spreads a flake's light over its length. Half of that is given back, and as many fewer
    # flakes fall: long ways are seen, and a larger image is not covered more.
    brighter = (1 + length) / 2
    # Where the gate is closed, less falls: an even gate is open by the same half everywhere.
    gate = enlarged(rng.random((_GATE, _GATE), np.float32), rows, columns, "cubic")
    chance = fall.density / brighter * (fall.evenness + (1 - fall.evenness) * 2 * gate)
    light = fall.likeness + (1 - fall.likeness) * rng.random((rows, columns), np.float32)
    small = np.where(rng.random((rows, columns), np.float32) < chance, light, 0)
    layer = enlarged(small.astype(np.float32), height, width, "linear")
    path = way(length + 1 - length % 2, fall.angle, 0.0) * brighter
    moved = cv2.filter2D(layer, -1, path, borderType=cv2.BORDER_REFLECT_101)
    blurred = cv2.GaussianBlur(moved, (0, 0), sigma) if sigma > 0 else moved
    covered: Floats = np.clip(blurred, 0, 1)
    return covered
