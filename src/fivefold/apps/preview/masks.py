"""Pictures of a preview with their masks over them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pillow

from fivefold.core.masks import MaskKind, as_nearest
from fivefold.core.types import Image
from fivefold.engine.mask_legend import draw_legend
from fivefold.engine.overlays import as_rgb, overlaid

_SMALLEST = 224
"""Pixels of the longer side that a picture has at least, so that outlines are thin beside it."""


def laid_over(image: Image, mask: Image, kind: MaskKind) -> Image:
    """Draw a mask [H, W, P] over its image [H, W, C].

    Args:
        image: Small ones are enlarged by a whole number, each pixel staying a square.
        mask: Likewise.
        kind: How it is written.

    Returns:
        RGB.
    """
    longest = max(image.shape[:2])
    times = max(1, _SMALLEST // longest)
    pixels = np.repeat(np.repeat(as_rgb(image), times, axis=0), times, axis=1)
    width = max(1, round(longest * times / _SMALLEST) * 2)
    return overlaid(pixels, as_nearest(mask, *pixels.shape[:2]), kind, width=width)


def legend_of(class_names: Sequence[str], kind: MaskKind, width: int) -> Pillow.Image:
    """Name the colours of classes in a picture of a width in pixels."""
    return draw_legend(class_names, kind, width, ignored=False)
