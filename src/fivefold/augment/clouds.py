"""Augmenters of weather: clouds and fog.

Names, options and defaults are those of imgaug 0.3, and so is what each option means; the pictures
are drawn by the formulas given here.
"""

from dataclasses import dataclass

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.coarse import WholeSize
from fivefold.augment.draws import Brightness, Exponent, NotNegative, Part, Values, draw, draw_whole
from fivefold.augment.per_channel import as_bytes, new_seed
from fivefold.augment.smooth_noise import enlarged, frequency_noise, small_size
from fivefold.core.types import Floats, Image

_COARSE = 8  # cells along each side of what is brighter here and darker there


@dataclass(frozen=True)
class Cloud:
    """One layer of clouds: how bright and how thick they are.

    Attributes:
        mean: Brightness, 0-255.
        coarse: Standard deviation of the brightness between parts of the image.
        fine: Exponent of the frequencies of finer differences; see `frequency_noise`.
        thinnest: How thick the clouds are everywhere, 0-1.
        thickness: How much thicker they are where they are thickest.
        longest: Pixels of the longer side of the map of thickness, before it is enlarged.
        exponent: Exponent of its frequencies.
        sparsity: Power that the thickness is raised to; above 1 leaves more open sky.
        density: Factor on that.
    """

    mean: Values
    coarse: Values
    fine: Values
    thinnest: Values
    thickness: Values
    longest: Values
    exponent: Values
    sparsity: Values
    density: Values


_CLOUDS = (
    Cloud(
        mean=[196, 255],
        coarse=10,
        fine=[-2.5, -2.0],
        thinnest=0,
        thickness=[0.25, 0.75],
        longest=[2, 8],
        exponent=[-2.5, -2.0],
        sparsity=[0.8, 1.0],
        density=[0.5, 1.0],
    ),
    Cloud(
        mean=[196, 255],
        coarse=10,
        fine=[-2.0, -1.0],
        thinnest=0,
        thickness=[0.5, 1.0],
        longest=[64, 128],
        exponent=[-2.0, -1.0],
        sparsity=[1.0, 1.4],
        density=[0.8, 1.5],
    ),
)
_FOG = Cloud(
    mean=[220, 255],
    coarse=2,
    fine=[-2.0, -1.5],
    thinnest=[0.7, 0.9],
    thickness=0.3,
    longest=[2, 8],
    exponent=[-4.0, -2.0],
    sparsity=0.9,
    density=[0.4, 0.9],
)


@augmenters.add(name="CloudLayer")
def cloud_layer(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    intensity_mean: Brightness,
    intensity_freq_exponent: Exponent,
    intensity_coarse_scale: NotNegative,
    alpha_min: Part,
    alpha_multiplier: NotNegative,
    alpha_size_px_max: WholeSize,
    alpha_freq_exponent: Exponent,
    sparsity: NotNegative,
    density_multiplier: NotNegative,
) -> Change:
    """Draw one layer of clouds over the image.

    Thickness is (least + multiplier noise)^sparsity times density, at most 1; brightness is the
    mean, coarse normal noise, and finer noise of up to a quarter of the mean.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        intensity_mean: Brightness of the clouds, 0-255.
        intensity_freq_exponent: Exponent of frequencies of its finer differences.
        intensity_coarse_scale: Standard deviation of its coarse differences.
        alpha_min: Least thickness, 0-1.
        alpha_multiplier: How much thicker clouds are where they are thickest.
        alpha_size_px_max: Pixels of the longer side of the map of thickness; few are few clouds.
        alpha_freq_exponent: Exponent of frequencies of the thickness; below 0 is smooth.
        sparsity: Power of the thickness; above 1 leaves more open sky.
        density_multiplier: Factor on that.
    """
    return _clouded(
        rng,
        Cloud(
            intensity_mean,
            intensity_coarse_scale,
            intensity_freq_exponent,
            alpha_min,
            alpha_multiplier,
            alpha_size_px_max,
            alpha_freq_exponent,
            sparsity,
            density_multiplier,
        ),
    )


@augmenters.add(name="Clouds")
def clouds(rng: np.random.Generator, height: int, width: int) -> Change:
    """Draw large thin clouds, small thick ones, or both."""
    count = int(rng.integers(1, 3))
    chosen = np.sort(rng.permutation(2)[:count])
    return tuple(_clouded(rng, _CLOUDS[i]) for i in chosen.tolist())


@augmenters.add(name="Fog")
def fog(rng: np.random.Generator, height: int, width: int) -> Change:
    """Draw fog, which is thick everywhere and nearly even."""
    return _clouded(rng, _FOG)


def _clouded(rng: np.random.Generator, cloud: Cloud) -> Change:
    seed = new_seed(rng)

    def change(image: Image) -> Image:
        own = np.random.default_rng(seed)
        height, width = image.shape[:2]
        brightness = _brightness(own, height, width, cloud)
        thick = _thickness(own, height, width, cloud)[..., None]
        return as_bytes(image * (1 - thick) + brightness[..., None] * thick)

    return Pixels(change)


def _brightness(rng: np.random.Generator, height: int, width: int, cloud: Cloud) -> Floats:
    mean, spread = draw(rng, cloud.mean), draw(rng, cloud.coarse)
    coarse = mean + spread * rng.standard_normal((_COARSE, _COARSE), np.float32)
    fine = frequency_noise(rng, *small_size(height, width, 128), draw(rng, cloud.fine))
    finer = (enlarged(fine, height, width, "cubic") - 0.5) * mean / 4
    smooth = enlarged(np.clip(coarse / 255, 0, 1).astype(np.float32), height, width, "cubic")
    bright: Floats = np.clip(255 * smooth + finer, 0, 255)
    return bright


def _thickness(rng: np.random.Generator, height: int, width: int, cloud: Cloud) -> Floats:
    longest = int(draw_whole(rng, cloud.longest))
    noise = frequency_noise(rng, *small_size(height, width, longest), draw(rng, cloud.exponent))
    thick = draw(rng, cloud.thinnest) + draw(rng, cloud.thickness) * enlarged(
        noise, height, width, "cubic"
    )
    dense: Floats = np.clip(thick ** draw(rng, cloud.sparsity) * draw(rng, cloud.density), 0, 1)
    return dense
