"""Small pictures of masks: the truth over its image, and where what was said differs from it."""

from typing import TYPE_CHECKING

import numpy as np

from fivefold.core.masks import MaskKind
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Image
from fivefold.engine.overlays import as_rgb, ignored_in, outline, overlaid, planes_of, scaled

if TYPE_CHECKING:
    import cv2
else:  # reports of classes are drawn without it
    cv2 = late("cv2")

MISSED, INVENTED, MIXED = (0, 114, 178), (230, 159, 0), (204, 121, 167)
"""RGB of pixels that show a class and are not said to, the reverse, and those of two classes that
are taken for each other; told apart by every kind of eye, and by their brightness."""

_SIDE, _LEAST = 256, 160  # pixels of a picture's longer side
_PAPER = 190  # grey where there is no image
_FAINT = 0.45  # of an image below its mistakes
_STRONG = 0.78  # of a mistake's colour
_RIM, _HALO = (255, 255, 255), (20, 20, 22)


def truth_over(image: Image | None, truth: Image, kind: MaskKind) -> Image:
    """Draw the true mask over its image, each class in its colour: RGB [h, w, 3].

    Args:
        image: [any, any, C]; None where it cannot be read.
        truth: [H, W, P].
        kind: How masks are written.
    """
    size = _size(truth)
    return overlaid(_ground(image, size), scaled(truth, kind, size), kind)


def mistakes_over(image: Image | None, truth: Image, said: Image, kind: MaskKind) -> Image:
    """Draw what was missed and what was invented over a faint image: RGB [h, w, 3].

    Args:
        image: [any, any, C]; None where it cannot be read.
        truth: [H, W, P].
        said: [H, W, P].
        kind: How masks are written.
    """
    size = _size(truth)
    small, other = scaled(truth, kind, size), scaled(said, kind, size)
    counts = ~ignored_in(small)
    missed, invented = np.zeros(size, bool), np.zeros(size, bool)
    there = np.zeros(size, bool)
    answers = planes_of(other, kind)
    for number, plane in planes_of(small, kind).items():
        missed |= plane & ~answers[number] & counts
        invented |= ~plane & answers[number] & counts
        there |= plane
    grey = cv2.cvtColor(_ground(image, size), cv2.COLOR_RGB2GRAY)[..., None]
    found = np.repeat(255 - (255 - grey.astype(np.float32)) * _FAINT, 3, axis=2)
    found[~counts] = 150
    for plane, colour in (
        (missed & ~invented, MISSED),
        (invented & ~missed, INVENTED),
        (missed & invented, MIXED),
    ):
        found[plane] = (1 - _STRONG) * found[plane] + _STRONG * np.array(colour, np.float32)
    _draw_rim(found, there)
    drawn: Image = found.round().astype(np.uint8)
    return drawn


def _draw_rim(found: AnyArray, plane: AnyArray) -> None:
    """Draw the edge of what is true: white, and dark outside of it, so that it is seen on both."""
    around = cv2.dilate(plane.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    found[around & ~plane] = _HALO
    found[outline(plane, 1)] = _RIM


def _size(mask: Image) -> tuple[int, int]:
    """Choose height and width: neither too small to be seen nor too large for a page."""
    height, width = mask.shape[:2]
    longer = max(height, width)
    if longer < _LEAST:
        times = -(-_LEAST // longer)  # whole, so that pixels stay squares
        return height * times, width * times
    share = min(1.0, _SIDE / longer)
    return max(1, round(height * share)), max(1, round(width * share))


def _ground(image: Image | None, size: tuple[int, int]) -> Image:
    if image is None:
        return np.full((*size, 3), _PAPER, np.uint8)
    pixels = as_rgb(image)
    grows = size[0] * size[1] > pixels.shape[0] * pixels.shape[1]
    way = cv2.INTER_NEAREST if grows else cv2.INTER_AREA
    return cv2.resize(pixels, (size[1], size[0]), interpolation=way).astype(np.uint8)
