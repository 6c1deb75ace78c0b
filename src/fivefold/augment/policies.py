"""Ready-made policies: a few changes, drawn from one list, at random or fixed strengths.

Lists, strengths and signs are torchvision's, and so is every change: shears hold the top left
corner, pixels are the nearest ones, and what comes in from outside is black.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import AliasChoices, Field

from fivefold.augment.box import Matrix
from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels, Size, Table
from fivefold.augment.draws import Brightness, draw
from fivefold.augment.enhance import (
    autocontrasted,
    blended,
    contrasted,
    equalized,
    saturated,
    sharpened,
)
from fivefold.augment.geometric import about_centre
from fivefold.augment.per_channel import on_colours
from fivefold.augment.warp import Border, Warp
from fivefold.core.types import Image

Bins = Annotated[int, Field(ge=2, le=1000)]
Operations = Annotated[int, Field(ge=0, le=20, validation_alias=AliasChoices("num_ops", "n"))]
Magnitude = Annotated[int, Field(ge=0, validation_alias=AliasChoices("magnitude", "m"))]

_SIGNED = {
    "ShearX": 0.99,
    "ShearY": 0.99,
    "TranslateX": 32.0,
    "TranslateY": 32.0,
    "Rotate": 135.0,
    "Brightness": 0.99,
    "Color": 0.99,
    "Contrast": 0.99,
    "Sharpness": 0.99,
}
"""Changes with two directions, and the strongest of each in TrivialAugment."""

_NAMES = ("Identity", *_SIGNED, "Posterize", "Solarize", "AutoContrast", "Equalize")

_STANDARD = {
    "ShearX": 0.3,
    "ShearY": 0.3,
    "Rotate": 30.0,
    "Brightness": 0.9,
    "Color": 0.9,
    "Contrast": 0.9,
    "Sharpness": 0.9,
}
_FAR = 150.0 / 331.0  # of the side: the farthest that RandAugment moves


@augmenters.add("TrivialAugmentWide", name="TrivialAugment")
def trivial_augment(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    num_magnitude_bins: Bins = 31,
    cval: Brightness = 0.0,
) -> Change:
    """Apply one of 14 changes, each as likely, at a strength drawn from the whole range.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        num_magnitude_bins: How many strengths there are.
        cval: Brightness of what comes in from outside, 0-255.

    References:
        Müller and Hutter, 2021, https://arxiv.org/abs/2103.10158: its wide space
    """
    name = _NAMES[int(rng.integers(len(_NAMES)))]
    part = int(rng.integers(num_magnitude_bins)) / (num_magnitude_bins - 1)
    if name == "Posterize":
        strength = 8.0 - round(6 * part)
    else:
        strength = 255.0 * (1 - part) if name == "Solarize" else _SIGNED.get(name, 0.0) * part
    return _change(rng, name, strength, (height, width), draw(rng, cval))


@augmenters.add(name="RandAugment")
def rand_augment(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    num_ops: Operations = 2,
    magnitude: Magnitude = 9,
    num_magnitude_bins: Bins = 31,
    cval: Brightness = 0.0,
) -> Change:
    """Apply some of 14 changes one after another, all at the same strength.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        num_ops: How many; one may come twice. May be written `n`.
        magnitude: The strength, from 0 to `num_magnitude_bins` - 1. May be written `m`.
        num_magnitude_bins: How many strengths there are.
        cval: Brightness of what comes in from outside, 0-255.

    Raises:
        ValueError: If there is no such strength.

    References:
        Cubuk et al., 2020, https://arxiv.org/abs/1909.13719
    """
    if magnitude >= num_magnitude_bins:
        msg = f"a magnitude below num_magnitude_bins, {num_magnitude_bins}, got {magnitude}"
        raise ValueError(msg)
    part = magnitude / (num_magnitude_bins - 1)
    strengths = {name: most * part for name, most in _STANDARD.items()} | {
        "TranslateX": _FAR * width * part,
        "TranslateY": _FAR * height * part,
        "Posterize": 8.0 - round(4 * part),
        "Solarize": 255.0 * (1 - part),
    }
    outside, changes = draw(rng, cval), list[Change]()
    for _ in range(num_ops):
        name = _NAMES[int(rng.integers(len(_NAMES)))]
        changes.append(_change(rng, name, strengths.get(name, 0.0), (height, width), outside))
    return tuple(changes)


def _change(
    rng: np.random.Generator, name: str, strength: float, size: Size, outside: float
) -> Change:
    if name in _SIGNED and rng.integers(2):
        strength = -strength
    if name in _MATRICES:
        matrix = _MATRICES[name](strength, size)
        return Warp(matrix, Border(order=0, cval=outside))
    return _PIXELS[name](strength)


def _sheared(strength: float, size: Size, *, along_x: bool) -> Matrix:
    # The corner at (-0.5, -0.5) holds still, and with it the row or the column of the edge.
    x, y = (strength, 0.0) if along_x else (0.0, strength)
    return _matrix((1.0, -x, -x / 2), (-y, 1.0, -y / 2))


def _moved(strength: float, size: Size, *, along_x: bool) -> Matrix:
    x, y = (int(strength), 0) if along_x else (0, int(strength))
    return _matrix((1.0, 0.0, float(x)), (0.0, 1.0, float(y)))


def _turned(strength: float, size: Size) -> Matrix:
    turn = math.radians(-strength)  # torchvision turns the other way round
    cosine, sine = math.cos(turn), math.sin(turn)
    return about_centre(_matrix((cosine, -sine, 0.0), (sine, cosine, 0.0)), *size)


def _brightened(strength: float) -> Change:
    table = np.arange(256, dtype=np.uint8)
    brighter = blended(table, np.zeros_like(table), 1.0 + strength)
    return Table(lambda _: brighter)


def _posterized(strength: float) -> Change:
    table = np.arange(256, dtype=np.uint8) & np.uint8(256 - 2 ** (8 - int(strength)))
    return Table(lambda _: table)


def _solarized(strength: float) -> Change:
    table = np.arange(256, dtype=np.uint8)
    inverted = np.where(table >= strength, 255 - table, table)
    return Table(lambda _: inverted)


def _coloured(image: Image, factor: float) -> Image:
    if image.shape[2] < 3:
        return image  # it has no colours, as in torchvision
    return on_colours(partial(saturated, factor=factor))(image)


_MATRICES: Mapping[str, Callable[[float, Size], Matrix]] = {
    "ShearX": partial(_sheared, along_x=True),
    "ShearY": partial(_sheared, along_x=False),
    "TranslateX": partial(_moved, along_x=True),
    "TranslateY": partial(_moved, along_x=False),
    "Rotate": _turned,
}
_PIXELS: Mapping[str, Callable[[float], Change]] = {
    "Identity": lambda _: NOTHING,
    "Brightness": _brightened,
    "Color": lambda strength: Pixels(partial(_coloured, factor=1.0 + strength)),
    "Contrast": lambda strength: Pixels(partial(contrasted, factor=1.0 + strength)),
    "Sharpness": lambda strength: Pixels(partial(sharpened, factor=1.0 + strength)),
    "Posterize": _posterized,
    "Solarize": _solarized,
    "AutoContrast": lambda _: Pixels(autocontrasted),
    "Equalize": lambda _: Pixels(equalized),
}


def _matrix(first: tuple[float, ...], second: tuple[float, ...]) -> Matrix:
    return np.array((first, second, (0.0, 0.0, 1.0)))
