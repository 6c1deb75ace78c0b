"""How small a connected part may be: chosen by leaving out parts of what is said.

Among the smallest areas that are tried, each 1.2 times the one before and none above a quarter of
the map, it is the one with the best score, of equal ones the smallest.
"""

from typing import TYPE_CHECKING

import numpy as np

from fivefold.core.masks import IGNORED
from fivefold.core.optional import late
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Head, Image, Indices
from fivefold.evaluation.mask_levels import Overlap
from fivefold.evaluation.metrics import Flags

if TYPE_CHECKING:
    import cv2
else:
    cv2 = late("cv2")

_STEP = 1.2
_LARGEST = 4  # the largest area that is tried is this part of a map


def areas_to_try(pixels: int) -> Indices:
    """List the smallest areas that are tried for maps of so many pixels, rising; 0 keeps all."""
    most = max(pixels // _LARGEST, 1)
    steps = int(np.log(most) / np.log(_STEP)) + 1
    found: Indices = np.unique(np.append([0, 2], np.rint(_STEP ** np.arange(steps)).astype(int)))
    kept: Indices = found[(found != 1) & (found <= most)]
    return kept


def overlap_by_area(said: Image, truth: Image, head: Head, areas: Indices) -> Overlap:
    """Count one image for every smallest area.

    Args:
        said: What is said [H, W, P].
        truth: As `core.masks` writes it [H, W, P].
        head: What the classes are; of exclusive ones the first is left as it is.
        areas: Rising, 0 first [ways].
    """
    counted = [
        _of_plane(*planes, areas, whole=head.activation == "softmax" and k == 0)
        for k, planes in enumerate(_planes(said, truth, head))
    ]
    hits, all_said, true = (np.array(each) for each in zip(*counted, strict=True))
    return Overlap.of_image(hits, all_said, true)


def choose_areas(
    overlap: Overlap, aim: ThresholdAim, areas: Indices, head: Head
) -> tuple[int, ...]:
    """Choose the smallest area of each class; 0 where all parts are to be kept.

    Args:
        overlap: For every smallest area, sums over images.
        aim: What thresholds are for; see `Overlap.score`.
        areas: Those that were tried [ways].
        head: What the classes are.
    """
    scores = np.nan_to_num(overlap.score(aim), nan=-1.0)
    best = [int(areas[column.argmax()]) for column in scores]  # of equal ones the first
    return (0, *best[1:]) if head.activation == "softmax" else tuple(best)


def _planes(said: Image, truth: Image, head: Head) -> list[tuple[Flags, Flags, Flags]]:
    """Give for each class the pixels that are said, true, and counted."""
    counted = ~(truth == IGNORED).any(axis=-1)
    classes = range(head.num_classes)
    if head.activation != "softmax":
        return [(said[..., k] == 1, (truth[..., k] == 1) & counted, counted) for k in classes]
    return [(said[..., 0] == k, truth[..., 0] == k, counted) for k in classes]


def _of_plane(
    said: Flags, truth: Flags, counted: Flags, areas: Indices, *, whole: bool
) -> tuple[Indices, Indices, Indices]:
    """Count hits and said pixels [ways], and true ones [1]."""
    true = np.array([np.count_nonzero(truth)])
    hits, all_said = np.count_nonzero(said & truth), np.count_nonzero(said & counted)
    ways = np.zeros(len(areas), dtype=np.int64)
    if whole or not all_said or len(areas) == 1:  # the one that keeps all
        return ways + hits, ways + all_said, true
    number, parts, stats, _ = cv2.connectedComponentsWithStats(said.view(np.uint8), connectivity=8)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    of_truth = np.bincount(parts[truth], minlength=number)[1:]
    of_counted = sizes if counted.all() else np.bincount(parts[counted], minlength=number)[1:]
    # A part of n pixels goes from the first area above n on.
    first = np.searchsorted(areas, sizes, side="right")
    gone = [
        np.cumsum(np.bincount(first, own, minlength=len(areas) + 1))[: len(areas)]
        for own in (of_truth, of_counted)
    ]
    lost, unsaid = (np.rint(each).astype(np.int64) for each in gone)
    return hits - lost, all_said - unsaid, true
