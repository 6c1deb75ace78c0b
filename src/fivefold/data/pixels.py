"""Numbers and images of any kind to pixels, 0-255."""

from collections.abc import Callable

import numpy as np
from PIL import Image as Pillow

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Image
from fivefold.data.image_problem import ImageProblem, Reason

# Pixels converted at a time: their copies in between stay small beside the image itself.
_STRIP = 1 << 20
_WHITE = (255, 255, 255, 255)


def pixels_of(image: Pillow.Image, *, alpha: bool = False) -> Image:
    """Convert a loaded image of any mode to RGB pixels [H, W, 3].

    Args:
        image: Of any mode.
        alpha: Give [H, W, 4] where it has opacities, instead of laying it on white.

    Raises:
        ImageProblem: If its numbers have no agreed meaning as colours.
    """
    if image.mode.startswith("I;16"):
        return _three(_from_16_bits(np.asarray(image)))
    if image.mode == "I":
        return _three(to_uint8(np.asarray(image)))
    if image.mode == "F":
        return _three(to_uint8(np.asarray(image)))
    if alpha and _has_alpha(image):
        return np.array(image.convert("RGBA"))
    pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
    rows = max(1, _STRIP // max(1, image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(_rgb(image.crop((0, top, image.width, bottom))))
    return pixels


def _rgb(image: Pillow.Image) -> Pillow.Image:
    if _has_alpha(image):
        colours = image.convert("RGBA")
        white = Pillow.new("RGBA", colours.size, _WHITE)
        return Pillow.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")


def _has_alpha(image: Pillow.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def to_uint8(values: AnyArray) -> Image:
    """Scale numbers of any kind to 0-255 by one rule.

    True is 255. Floats up to 1 are multiplied by 255, floats up to 255 are rounded. Unsigned
    16-bit numbers are divided by 257. Other integers are taken as they are up to 255, and as
    16-bit numbers up to 65,535. All else is refused, never clipped.

    Args:
        values: Any shape.

    Returns:
        The same shape.

    Raises:
        ImageProblem: If values are negative, too large, NaN or infinite, or no numbers.
    """
    kind = values.dtype.kind
    if values.dtype == np.uint8 or not values.size:
        return values.astype(np.uint8)
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "uif":
        raise ImageProblem(Reason.DECODE_ERROR, f"expected numbers, got {values.dtype}")
    low, high = float(values.min()), float(values.max())
    top = 255 if kind == "f" else 65535
    if not (low >= 0 and high <= top):  # also true for NaN
        detail = f"values from {low:g} to {high:g} of type {values.dtype}; expected 0 to {top}"
        raise ImageProblem(Reason.DECODE_ERROR, detail)
    if kind == "f":
        factor = 255.0 if high <= 1 else 1.0
        return _rounded(values, lambda part: part * factor)
    return _from_16_bits(values) if _is_16_bits(values, high) else values.astype(np.uint8)


def _is_16_bits(values: AnyArray, high: float) -> bool:
    return values.dtype == np.uint16 or high > 255


def _from_16_bits(values: AnyArray) -> Image:
    return _rounded(values, lambda part: part / 257.0)


def _rounded(values: AnyArray, scale: Callable[[AnyArray], AnyArray]) -> Image:
    """Scale and round a part at a time, since floats are eight times as large."""
    flat, result = values.reshape(-1), np.empty(values.size, dtype=np.uint8)
    for start in range(0, len(flat), _STRIP):
        part = slice(start, start + _STRIP)
        result[part] = np.rint(scale(flat[part])).astype(np.uint8)
    return result.reshape(values.shape)


def _three(grey: Image) -> Image:
    return np.repeat(grey[:, :, None], 3, axis=2)


def to_channels(image: Image, channels: int, where: str = "shape") -> Image:
    """Convert between grey and RGB, by Pillow's weights (ITU-R 601).

    Args:
        image: Pixels [H, W, C].
        channels: How many are wanted.
        where: What a message begins with.

    Raises:
        DataError: If there is no agreed way from one number of channels to the other.
    """
    found = image.shape[2]
    if found == channels:
        return image
    if (found, channels) == (1, 3):
        return np.repeat(image, 3, axis=2)
    if (found, channels) == (3, 1):
        return np.array(Pillow.fromarray(image).convert("L"))[:, :, None]
    msg = f"{where}: expected an image with {channels} channels, got {found}"
    hint = f"the last number of `shape` must be {found}, or the data set must return {channels}"
    if channels == 4:
        hint += "; files have a fourth channel where they have alpha"
    raise DataError(msg, hint=hint, slug="data/channels")
