"""Smooth random maps, 0-1: of chosen frequencies, and simplex noise."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Floats

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Upscale: TypeAlias = Literal["nearest", "linear", "cubic"]
Aggregation: TypeAlias = Literal["min", "avg", "max"]

UPSCALES: tuple[Upscale, ...] = ("nearest", "linear", "cubic")

_HOW = {"nearest": "INTER_NEAREST", "linear": "INTER_LINEAR", "cubic": "INTER_CUBIC"}
_SKEW, _UNSKEW = (3**0.5 - 1) / 2, (3 - 3**0.5) / 6


def small_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """Shrink height and width in proportion, so that the longer side is at most `longest`."""
    factor = min(1.0, longest / max(height, width))
    return max(round(height * factor), 1), max(round(width * factor), 1)


def enlarged(values: Floats, height: int, width: int, how: Upscale) -> Floats:
    """Enlarge a map [h, w] to a size; what cubics push out of 0-1 is cut off."""
    if values.shape == (height, width):
        return values
    grown = cv2.resize(values, (width, height), interpolation=getattr(cv2, _HOW[how]))
    return np.clip(np.asarray(grown, np.float32), 0, 1)


def frequency_noise(rng: np.random.Generator, height: int, width: int, exponent: float) -> Floats:
    """Draw a map whose frequencies are as strong as their distance from zero, to a power [h, w].

    Amplitudes are random numbers times (frequency + 1)^exponent, phases are random; the real part
    of the inverse Fourier transform is stretched over 0-1. Below 0 is smooth like clouds, around 0
    white noise, above 0 finer still.
    """
    down = np.minimum(np.arange(height), height - np.arange(height))
    across = np.minimum(np.arange(width), width - np.arange(width))
    frequency = np.hypot(down[:, None], across[None, :])
    amplitude = rng.random((height, width)) * (frequency + 1) ** exponent
    phase = 2 * np.pi * rng.random((height, width))
    return _stretched(np.fft.ifft2(amplitude * np.exp(1j * phase)).real)


def simplex_noise(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Draw simplex noise, stretched over 0-1 [h, w].

    The plane is parted into triangles; at each of the three corners around a point a random
    direction is multiplied with the way to it, and fades with (1/2 - distance²)^4 (Gustavson,
    "Simplex noise demystified", 2005).
    """
    start = rng.random(2) * 256
    # A quarter of a corner's distance between pixels: features are about four pixels wide.
    y, x = np.mgrid[0:height, 0:width] * 0.25 + start[:, None, None]
    shift = (x + y) * _SKEW
    i, j = np.floor(x + shift), np.floor(y + shift)
    unshift = (i + j) * _UNSKEW
    x0, y0 = x - i + unshift, y - j + unshift
    lower = x0 > y0
    corners = [(0, 0), (lower.astype(int), (~lower).astype(int)), (1, 1)]
    angles = 2 * np.pi * rng.random((1024, 1024))
    total = np.zeros((height, width))
    for di, dj in corners:
        unskewed = (di + dj) * _UNSKEW
        dx, dy = x0 - di + unskewed, y0 - dj + unskewed
        angle = angles[(i + di).astype(int) % 1024, (j + dj).astype(int) % 1024]
        fade = np.maximum(0.5 - dx**2 - dy**2, 0) ** 4
        total += fade * (np.cos(angle) * dx + np.sin(angle) * dy)
    return _stretched(total)


def aggregated(maps: Sequence[Floats], how: Aggregation) -> Floats:
    """Join several maps [h, w] to their least, mean or greatest values."""
    joined: dict[str, Callable[..., AnyArray]] = {"min": np.min, "avg": np.mean, "max": np.max}
    return np.asarray(joined[how](np.stack(maps), axis=0), np.float32)


def steepened(values: Floats, threshold: float) -> Floats:
    """Pull a map towards 0 and 1: 1 / (1 + exp(10 - 20 value + threshold)), as imgaug does."""
    power = np.minimum(10 - 20 * values + threshold, 80)  # e^89 is more than float32 holds
    steep: Floats = (1 / (1 + np.exp(power))).astype(np.float32)
    return steep


def _stretched(values: AnyArray) -> Floats:
    low, high = values.min(), values.max()
    spread = high - low if high > low else 1.0
    stretched: Floats = ((values - low) / spread).astype(np.float32)
    return stretched
