"""From probabilities of pixels to a mask: thresholds, and parts that are too small to keep.

Whoever predicts and whoever measures what thresholds come to asks here, so both mean the same.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Head, Image
from fivefold.evaluation.metrics import Flags
from fivefold.evaluation.thresholds import USUAL, answers_at

if TYPE_CHECKING:
    import cv2
else:
    cv2 = late("cv2")

LEVELS = 255
"""A stored probability is a whole number of so many parts of 1."""


def mask_of(
    probs: AnyArray,
    head: Head,
    thresholds: Sequence[float] = (),
    areas: Sequence[int] = (),
    *,
    scale: float = 1.0,
) -> Image:
    """Say which pixels of an image show what [H, W, P], as `core.masks` writes it.

    Args:
        probs: Of each pixel [H, W, K]: 0-1, or uint8 with 255 for 1.
        head: What the classes are.
        thresholds: As `said_of` takes them.
        areas: As `without_small_parts` takes them.
        scale: Likewise.
    """
    return without_small_parts(said_of(probs, head, thresholds), head, areas, scale=scale)


def said_of(probs: AnyArray, head: Head, thresholds: Sequence[float] = ()) -> Image:
    """Say which of some pixels show what [..., P]; any rows of an image do.

    Args:
        probs: Of each pixel [..., K]: 0-1, or uint8 with 255 for 1.
        head: What the classes are. Of exclusive ones a pixel shows the most probable, of equally
            probable ones the first.
        thresholds: A pixel shows a class where it is more probable than this [K]; one half if
            none are given. Exclusive classes need none.
    """
    if head.activation == "softmax":
        highest: Image = probs.argmax(axis=-1).astype(np.uint8)[..., None]
        return highest
    return shown_at(probs, thresholds or (USUAL,) * head.num_classes).view(np.uint8)


def without_small_parts(
    mask: Image, head: Head, areas: Sequence[int], *, scale: float = 1.0
) -> Image:
    """Leave out connected parts that have too few pixels.

    Args:
        mask: Of a whole image [H, W, P]; it stays as it is.
        head: What the classes are.
        areas: Parts of fewer pixels go [K]; 0, or none given, keeps all. Pixels that touch at a
            corner are connected. Of exclusive classes such a part becomes the first class, which is
            kept whole itself.
        scale: How many pixels there are here to one of those that areas are counted in.
    """
    exclusive, result = head.activation == "softmax", mask
    for column, area in enumerate(areas):
        least = area * scale
        if least <= 1 or (exclusive and column == 0):
            continue
        result = mask.copy() if result is mask else result
        if exclusive:
            plane = mask[..., 0] == column
            result[..., 0][plane & ~large_parts(plane, least)] = 0
        else:
            result[..., column] = large_parts(mask[..., column] == 1, least)
    return result


def shown_at(probs: AnyArray, thresholds: Sequence[float]) -> Flags:
    """Say which classes are more probable than their thresholds [..., K].

    Args:
        probs: 0-1, or uint8 with 255 for 1 [..., K].
        thresholds: One for each class, 0-1; nothing is above 1.
    """
    if probs.dtype == np.uint8:
        shown: Flags = probs > levels_below(thresholds)
        return shown
    return answers_at(probs, thresholds)


def levels_below(thresholds: Sequence[float]) -> NDArray[np.uint8]:
    """Give the highest stored level that is not above each threshold [K]."""
    scaled = np.asarray(thresholds, dtype=np.float64) * LEVELS
    # 0.2 * 255 is a little more than 51 in doubles, and 0.6 * 255 a little less than 153.
    near = np.rint(scaled)
    levels = np.where(np.abs(scaled - near) < 1e-9, near, np.floor(scaled))
    found: NDArray[np.uint8] = levels.astype(np.uint8)
    return found


def large_parts(plane: Flags, least: float) -> Flags:
    """Keep the connected parts [H, W] that have at least so many pixels."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(plane.view(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False  # what lies between the parts
    result: Flags = np.empty(plane.shape, dtype=bool)
    for own, row in zip(parts, result, strict=True):
        row[:] = kept[own]  # of all rows at once, the places alone would take 8 bytes a pixel
    return result
