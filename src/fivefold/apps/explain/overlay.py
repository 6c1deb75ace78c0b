"""A picture with the places that speak for a class laid over it in colours."""

import cv2
import numpy as np

from fivefold.core.types import Floats, Image


def as_seen(image: Image, least: int, most: int) -> Image:
    """Bring an image to RGB, and its longer side between two numbers of pixels.

    Args:
        image: [H, W, C]; of 4 or more channels the first three are shown, of 2 the first.
        least: A smaller one is enlarged to it, its pixels staying squares where there is room.
        most: A larger one is made smaller; 0 is any size.
    """
    pixels = image[:, :, :3] if image.shape[2] >= 3 else np.repeat(image[:, :, :1], 3, axis=2)
    pixels, side = np.ascontiguousarray(pixels), max(image.shape[:2])
    wanted = max(side, least)
    wanted = min(wanted, most) if most else wanted
    if wanted == side:
        return pixels
    height, width = (max(1, round(length * wanted / side)) for length in image.shape[:2])
    method = cv2.INTER_AREA if wanted < side else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def laid_over(picture: Image, heat: Floats, alpha: float) -> Image:
    """Lay a map over a picture in grey, so that colours mean the map alone.

    The colours are viridis, whose lightness grows evenly, so that they are read in order by eyes
    of every kind and in print without colours.

    Args:
        picture: RGB [H, W, 3].
        heat: 0-1, of the picture's proportions [any, any].
        alpha: How opaque the colours are, 0-1; half so where nothing speaks for the class.
    """
    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)[:, :, None]
    paled = 64 + grey * (160 / 255)  # neither black nor white would let colours through
    levels = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    colors = in_colors(np.asarray(levels, np.float32)).astype(np.float32)
    opacity = alpha * (0.5 + 0.5 * levels[:, :, None])
    mixed = paled * (1 - opacity) + colors * opacity
    return np.asarray(mixed.round(), np.uint8)


def in_colors(levels: Floats) -> Image:
    """Turn numbers from 0 to 1 into colours [H, W, 3]."""
    steps = (levels * 255).round().astype(np.uint8)
    return np.asarray(cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS)[:, :, ::-1], np.uint8)
