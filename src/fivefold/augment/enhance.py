"""Pillow's ways to enhance pictures, as RandAugment and TrivialAugment use them.

The definitions are torchvision's on uint8, and so are the bits, but where a result is whole up to
its last digit: what lies behind the point is cut off.
"""

from typing import TYPE_CHECKING

import numpy as np

from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

_GREY = np.array([0.2989, 0.587, 0.114], np.float32)


def grey(image: Image) -> Image:
    """Brightness of RGB [H, W, 3] as one channel [H, W, 1], cut off behind the point."""
    red, green, blue = (image[..., i].astype(np.float32) for i in range(3))
    brightness = _GREY[0] * red + _GREY[1] * green + _GREY[2] * blue
    shades: Image = brightness.astype(np.uint8)[..., None]
    return shades


def blended(image: Image, other: AnyArray, factor: float) -> Image:
    """Move from another picture (0) over the image (1) to beyond it (above 1)."""
    share = np.float32(factor)
    mixture = share * image.astype(np.float32) + np.float32(1.0 - factor) * other.astype(np.float32)
    pixels: Image = np.clip(mixture, 0, 255).astype(np.uint8)
    return pixels


def saturated(image: Image, factor: float) -> Image:
    """Change how strong the colours of RGB are: 0 grey, 1 the image, above 1 stronger."""
    return blended(image, grey(image), factor)


def contrasted(image: Image, factor: float) -> Image:
    """Change the contrast [H, W, C]: 0 a plain grey of mean brightness, 1 the image."""
    brightness = grey(image) if image.shape[2] >= 3 else image
    mean = np.full((1, 1, 1), brightness.mean(dtype=np.float32), np.float32)
    return blended(image, mean, factor)


def sharpened(image: Image, factor: float) -> Image:
    """Change the sharpness [H, W, C]: 0 smoothed by ones around a five, 1 the image; no border."""
    height, width, _ = image.shape
    if min(height, width) <= 2:
        return image
    values = image.astype(np.float32)
    around: Floats = sum(
        (values[i : height - 2 + i, j : width - 2 + j] for i in range(3) for j in range(3)),
        start=np.zeros((1,), np.float32),
    )
    smooth = values.copy()
    smooth[1:-1, 1:-1] = np.rint((around + 4 * values[1:-1, 1:-1]) / 13)
    return blended(image, smooth, factor)


def autocontrasted(image: Image, cutoff: float = 0.0) -> Image:
    """Stretch each channel [H, W, C] so that its darkest value is 0 and its brightest 255.

    Args:
        image: The pixels.
        cutoff: Percent of the values at either end that may be darker or brighter than that.
    """
    tables = [_stretched(image[..., i], cutoff) for i in range(image.shape[2])]
    return looked_up(image, tables)


def equalized(image: Image) -> Image:
    """Spread each channel's values [H, W, C] so that all are about equally frequent."""
    tables = [_equal(image[..., i]) for i in range(image.shape[2])]
    return looked_up(image, tables)


def looked_up(image: Image, tables: list[Image]) -> Image:
    """Replace values [H, W, C] by those of one table [256] for each channel."""
    interleaved = np.ascontiguousarray(np.stack(tables, axis=1)[None])
    return np.asarray(cv2.LUT(image, interleaved), np.uint8).reshape(image.shape)


def _stretched(channel: Image, cutoff: float) -> Image:
    low, high = _ends(channel, cutoff)
    brightness = np.arange(256, dtype=np.float32)
    if low >= high:
        return brightness.astype(np.uint8)
    scale = np.float32(255) / np.float32(high - low)
    table: Image = np.clip((brightness - low) * scale, 0, 255).astype(np.uint8)
    return table


def _ends(channel: Image, cutoff: float) -> tuple[int, int]:
    if not cutoff:
        return int(channel.min()), int(channel.max())
    counts = np.bincount(channel.ravel(), minlength=256)
    dropped = int(channel.size * cutoff / 100)
    low = int(np.searchsorted(np.cumsum(counts), dropped, side="right"))
    high = 255 - int(np.searchsorted(np.cumsum(counts[::-1]), dropped, side="right"))
    return low, high


def _equal(channel: Image) -> Image:
    counts = np.bincount(channel.ravel(), minlength=256)
    step = int(counts[counts > 0][:-1].sum()) // 255
    if step == 0:
        return np.arange(256, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    table: Image = np.clip((before + step // 2) // step, 0, 255).astype(np.uint8)
    table[0] = 0
    return table
