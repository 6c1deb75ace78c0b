"""Masks over pictures: an outline and a transparent colour for each class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fivefold.core.masks import IGNORED, MaskKind, as_nearest
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Image

if TYPE_CHECKING:
    import cv2
else:  # reports of classes are drawn without it
    cv2 = late("cv2")

COLOURS: tuple[tuple[int, int, int], ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""RGB, told apart by colour-blind people too (Okabe and Ito, 2008); then again."""

IGNORED_COLOUR = (150, 150, 155)
"""Of pixels that do not count."""

_FILL = 0.35  # of the colour; the rest is the picture
_HALO = (20, 20, 22)  # around an outline, so that it is seen on its own colour


def shown_classes(kind: MaskKind) -> range:
    """Name the classes that are drawn by number: of exclusive ones all but the background."""
    return range(1 if kind.exclusive else 0, kind.num_classes)


def colour_of(kind: MaskKind, number: int) -> tuple[int, int, int]:
    """Give a class's colour, RGB."""
    return COLOURS[(number - shown_classes(kind).start) % len(COLOURS)]


def planes_of(mask: Image, kind: MaskKind) -> dict[int, AnyArray]:
    """Split a mask [H, W, P] into planes [H, W] of the classes that are drawn, by their numbers."""
    if kind.exclusive:
        return {k: mask[..., 0] == k for k in shown_classes(kind)}
    return {k: mask[..., k] == 1 for k in shown_classes(kind)}


def ignored_in(mask: Image) -> AnyArray:
    """Say which pixels of a mask [H, W, P] do not count [H, W]."""
    found: AnyArray = (mask == IGNORED).any(axis=2)
    return found


def as_rgb(image: Image) -> Image:
    """Show an image [H, W, C] in three channels: of 4 or more the first three, of 2 the first."""
    pixels = image[..., :3] if image.shape[2] >= 3 else np.repeat(image[..., :1], 3, axis=2)
    return np.ascontiguousarray(pixels)


def overlaid(
    image: Image, mask: Image, kind: MaskKind, *, width: int = 1, filled: bool = True
) -> Image:
    """Draw a mask over its image.

    Args:
        image: [H, W, C].
        mask: [H, W, P] of the same size.
        kind: How the mask is written.
        width: Of the outlines, in pixels; they lie inside of what they go around.
        filled: Whether what a class covers takes some of its colour.

    Returns:
        RGB [H, W, 3].
    """
    found = as_rgb(image).astype(np.float32)
    nobody = ignored_in(mask)
    found[nobody] = _mixed(found[nobody], IGNORED_COLOUR, 0.6)
    planes = planes_of(mask, kind)
    if filled:
        for number, plane in planes.items():
            found[plane] = _mixed(found[plane], colour_of(kind, number), _FILL)
    for number, plane in planes.items():
        edge = outline(plane, width)
        found[_grown(plane, 1) & ~plane] = _HALO
        found[edge] = colour_of(kind, number)
    drawn: Image = found.round().astype(np.uint8)
    return drawn


def outline(plane: AnyArray, width: int) -> AnyArray:
    """Find the pixels of a plane [H, W] that lie so close to its edge; the picture's is none."""
    inner = cv2.erode(plane.astype(np.uint8), _disc(width), borderType=cv2.BORDER_REPLICATE)
    edge: AnyArray = plane & (inner == 0)
    return edge


def scaled(mask: Image, kind: MaskKind, size: Sequence[int]) -> Image:
    """Bring a mask [H, W, P] to another height and width for a picture of it.

    Enlarged, every pixel stays a square. Made smaller, a pixel shows a class if a third of what it
    stands for does, so that thin things do not vanish.
    """
    height, width = size
    if height >= mask.shape[0] and width >= mask.shape[1]:
        return as_nearest(mask, height, width)
    found = np.zeros((height, width, mask.shape[2]), np.uint8)
    found[_share(ignored_in(mask), size) > 0.5] = IGNORED
    for number, plane in planes_of(mask, kind).items():
        where = _share(plane, size) > 1 / 3
        if kind.exclusive:
            found[where] = number
        else:
            found[where, number] = 1
    return found


def _share(plane: AnyArray, size: Sequence[int]) -> AnyArray:
    # In bytes: as numbers of four bytes a mask of a hundred million pixels would be too large.
    levels = np.multiply(plane, np.uint8(255), dtype=np.uint8)
    share = cv2.resize(levels, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return share.astype(np.float32) / 255


def _mixed(pixels: AnyArray, colour: Sequence[int], part: float) -> AnyArray:
    mixed: AnyArray = pixels * (1 - part) + np.asarray(colour, np.float32) * part
    return mixed


def _grown(plane: AnyArray, width: int) -> AnyArray:
    grown: AnyArray = cv2.dilate(plane.astype(np.uint8), _disc(width)) > 0
    return grown


def _disc(width: int) -> AnyArray:
    disc: AnyArray = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1,) * 2)
    return disc
