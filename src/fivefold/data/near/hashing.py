"""What a picture looks like, in 64 bits of which few change when it is saved anew.

The hash is that of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
2010: the signs of the lowest frequencies of the discrete cosine transform, against their median. It
is computed in whole numbers. Pictures of one kind, such as digits, may have nearly the same low
frequencies and differ all the same, so near hashes only say which pictures are worth comparing.
"""

from functools import cache

import numpy as np

from fivefold.core.types import AnyArray, Image, Indices

NO_HASH = 0
"""The hash of a picture without anything on it, which is near no other."""

DISTANCE = 4
"""Bits in which hashes of the same picture may differ, where nobody says another number."""

_SIDE, _LOW, _THUMB = 32, 8, 16
THUMBNAIL = _THUMB * _THUMB
"""Pixels of a thumbnail."""

_SCALE = 1 << 12
_PLAIN = 2  # mean difference from the mean grey, of 255: below that there is nothing but noise
_PER_BIT = 0.02  # of the contrast: what saving anew changes is far below, another digit far above


def hash_of(image: Image) -> int:
    """Compute the hash of a picture.

    Args:
        image: Pixels [H, W, C], RGB where C is 3; of other channels the first one counts.

    Returns:
        64 bits; `NO_HASH` if all pixels are nearly equal.
    """
    values = _grey(image, _SIDE)
    if np.abs(values - values.mean()).mean() < _PLAIN:
        return NO_HASH
    waves = _waves()
    lowest = (waves @ values @ waves.T).ravel()[1:]  # the first is the brightness
    bits = np.append(lowest > np.median(lowest), np.True_)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def thumbnail_of(image: Image) -> AnyArray:
    """Make a small grey picture, uint8 [256], of which pictures are compared in the end."""
    return _grey(image, _THUMB).astype(np.uint8).ravel()


def look_alike(first: AnyArray, second: AnyArray, distance: int) -> AnyArray:
    """Say which thumbnails show the same, whatever their brightness and contrast [N].

    Both are brought to the mean 0 and the standard deviation 1; then the root of their mean squared
    difference may be 0.02 for each bit that their hashes may differ in.

    Args:
        first: Thumbnails [N, 256].
        second: Others [N, 256].
        distance: Bits in which hashes of the same picture may differ.
    """
    difference = _standard(first) - _standard(second)
    found: AnyArray = np.sqrt((difference**2).mean(axis=1)) <= _PER_BIT * distance
    return found


def _standard(thumbnails: AnyArray) -> AnyArray:
    values = thumbnails.astype(np.float64)
    centred = values - values.mean(axis=1, keepdims=True)
    standard: AnyArray = centred / np.maximum(values.std(axis=1, keepdims=True), 1)
    return standard


def _grey(image: Image, side: int) -> Indices:
    """Make a picture's grey values at another size [side, side], 0-255."""
    import cv2  # noqa: PLC0415  who lists data needs none of it

    colours = np.ascontiguousarray(image if image.shape[2] == 3 else image[:, :, :1])
    small = np.asarray(cv2.resize(colours, (side, side), interpolation=cv2.INTER_AREA), np.int64)
    return small if small.ndim == 2 else small @ np.array([299, 587, 114]) // 1000


@cache
def _waves() -> Indices:
    """Make the lowest cosines, times a power of two [8, 32]."""
    place, wave = np.arange(_SIDE), np.arange(_LOW)[:, None]
    cosines = np.cos(np.pi * wave * (2 * place + 1) / (2 * _SIDE))
    return np.round(cosines * _SCALE).astype(np.int64)
