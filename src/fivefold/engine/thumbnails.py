"""Small pictures of samples, for sheets of many."""

import numpy as np
from PIL import Image as Pillow

from fivefold.data import Source


def thumbnail(source: Source, i: int, side: int, *, least: int) -> Pillow.Image:
    """Make a picture of a sample that fits a square; small images keep their pixels.

    Args:
        source: Reads it.
        i: Which sample.
        side: Of the square, in pixels.
        least: What the longer side of a small image is enlarged to, at most.

    Raises:
        ImageProblem: If its image cannot be used.
    """
    pixels = source.image(i, (side, side))
    pixels = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, 0]
    picture = Pillow.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
    longest = max(picture.size)
    if longest > side:
        scale, way = side / longest, Pillow.Resampling.LANCZOS
    else:
        scale, way = max(1.0, least // longest), Pillow.Resampling.NEAREST
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.resize((width, height), way)
