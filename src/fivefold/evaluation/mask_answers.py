"""From probabilities of pixels to a mask: thresholds, and parts that are too small to keep.

Whoever predicts and whoever measures what thresholds come to asks here, so both mean the same.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fivefold.core.types import AnyArray, Head, Image
from fivefold.evaluation.metrics import Flags
from fivefold.evaluation.thresholds import USUAL, answers_at

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
    """Say which pixels show what [H, W, P], as `core.masks` writes it.

    Args:
        probs: Of each pixel [H, W, K]: 0-1, or uint8 with 255 for 1.
        head: What the classes are. Of exclusive ones a pixel shows the most probable, of equally
            probable ones the first.
        thresholds: A pixel shows a class where it is more probable than this [K]; one half if
            none are given. Exclusive classes need none.
        areas: Connected parts of fewer pixels are left out [K]; 0, or none given, keeps all. Pixels
            that touch at a corner are connected. Of exclusive classes such a part becomes the first
            class, which is kept whole itself.
        scale: How many pixels there are here to one of those that areas are counted in.
    """
    exclusive = head.activation == "softmax"
    if exclusive:
        found: Image = probs.argmax(axis=-1).astype(np.uint8)[..., None]
    else:
        found = shown_at(probs, thresholds or (USUAL,) * head.num_classes).view(np.uint8)
    for column, area in enumerate(areas):
        least = area * scale
        if least <= 1 or (exclusive and column == 0):
            continue
        if exclusive:
            plane = found[..., 0] == column
            found[..., 0][plane & ~without_small(plane, least)] = 0
        else:
            found[..., column] = without_small(found[..., column] > 0, least)
    return found


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


def without_small(plane: Flags, least: float) -> Flags:
    """Leave out connected parts [H, W] that have fewer pixels than this."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(plane.view(np.uint8), connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False  # what lies between the parts
    result: Flags = kept[parts]
    return result
