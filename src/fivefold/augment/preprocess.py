"""Resizing: one definition for training, validation, prediction and whatever follows."""

from typing import TYPE_CHECKING

import numpy as np

from fivefold.augment.warp import by_channels
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")


def resize(image: Image, height: int, width: int) -> Image:
    """Squash or stretch an image to a size, without keeping its proportions.

    What shrinks is averaged over areas, so that fine patterns do not alias; what grows is
    interpolated by cubics. An image that has the size already is returned itself.

    Args:
        image: Pixels [H, W, C].
        height: The new height in pixels.
        width: The new width in pixels.
    """
    smaller = (min(height, image.shape[0]), min(width, image.shape[1]))
    image = _resized(image, smaller, cv2.INTER_AREA)
    return _resized(image, (height, width), cv2.INTER_CUBIC)


def _resized(image: Image, size: tuple[int, int], interpolation: int) -> Image:
    if image.shape[:2] == size:
        return image

    def change(part: Image) -> Image:
        resized = cv2.resize(part, (size[1], size[0]), interpolation=interpolation)
        return resized.astype(np.uint8, copy=False)

    return by_channels(image, change)
