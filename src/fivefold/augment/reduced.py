"""Smaller versions of images, on which what is slow is decided."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fivefold.augment.frames import Interpolation, resized
from fivefold.core.types import Image

MaxSize: TypeAlias = Annotated[int, Field(ge=1)] | None


def reduced(image: Image, max_size: int | None, interpolation: Interpolation) -> Image:
    """Shrink an image [H, W, C] whose longer side is above a bound; others stay as they are.

    Args:
        image: The pixels.
        max_size: The longest side in pixels; None is no bound.
        interpolation: How it is shrunk.
    """
    height, width = image.shape[:2]
    if max_size is None or max(height, width) <= max_size:
        return image
    factor = max_size / max(height, width)
    size = (max(round(height * factor), 1), max(round(width * factor), 1))
    return resized(size, interpolation).image(image)
