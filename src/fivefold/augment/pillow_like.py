"""Augmenters that do to an image what Pillow does: colour, contrast, sharpness, histogram.

Names and options are those of imgaug 0.4's `pillike`.
"""

from functools import partial
from typing import Annotated

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.draws import NotNegative, Values, between, draw
from fivefold.augment.enhance import autocontrasted, contrasted, equalized, saturated, sharpened
from fivefold.augment.per_channel import on_colours

Percent = Annotated[Values, between(0, 49)]


@augmenters.add("pillike.EnhanceColor", name="EnhanceColor", colour=True)
def enhance_color(
    rng: np.random.Generator, height: int, width: int, *, factor: NotNegative
) -> Change:
    """Change how strong colours are, as Pillow's Color: 0 grey, 1 the image, above 1 stronger."""
    return Pixels(on_colours(partial(saturated, factor=draw(rng, factor))))


@augmenters.add("pillike.EnhanceContrast", name="EnhanceContrast")
def enhance_contrast(
    rng: np.random.Generator, height: int, width: int, *, factor: NotNegative
) -> Change:
    """Change the contrast, as Pillow's Contrast: 0 plain grey, 1 the image, above 1 stronger."""
    return Pixels(partial(contrasted, factor=draw(rng, factor)))


@augmenters.add("pillike.EnhanceSharpness", name="EnhanceSharpness")
def enhance_sharpness(
    rng: np.random.Generator, height: int, width: int, *, factor: NotNegative
) -> Change:
    """Change the sharpness, as Pillow's Sharpness: 0 smooth, 1 the image, above 1 sharper."""
    return Pixels(partial(sharpened, factor=draw(rng, factor)))


@augmenters.add("pillike.Autocontrast", name="Autocontrast")
def autocontrast(
    rng: np.random.Generator, height: int, width: int, *, cutoff: Percent = 0.0
) -> Change:
    """Stretch each channel from 0 to 255, without `cutoff` percent of its values at either end."""
    return Pixels(partial(autocontrasted, cutoff=draw(rng, cutoff)))


@augmenters.add("pillike.Equalize", name="Equalize")
def equalize(rng: np.random.Generator, height: int, width: int) -> Change:
    """Make all values of each channel about equally frequent, as Pillow's equalize."""
    return Pixels(equalized)
