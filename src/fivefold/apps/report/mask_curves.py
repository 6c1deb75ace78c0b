"""How good masks are at other thresholds, on some of the maps that a run has kept."""

from functools import partial

import numpy as np

from fivefold.apps.report.gathered import Gathered
from fivefold.core.maps import Maps
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.evaluation.mask_levels import CUTS, Overlap, overlap_by_level
from fivefold.evaluation.metrics import Doubles

_MOST = 400  # maps; a page is made in seconds


def overlap_at_thresholds(found: Gathered) -> tuple[Overlap, int] | None:
    """Count evenly chosen images at every threshold.

    Returns:
        Sums over images, and how many these were; None without maps, or of exclusive classes, which
        have no thresholds.
    """
    masks = found.masks
    if masks is None or masks.heads[0].activation == "softmax" or not found.maps:
        return None
    total, count = Overlap.nothing(masks.heads[0].num_classes, len(CUTS)), 0
    for fold, path in found.maps.items():
        reading = f"maps of fold {fold}"
        maps = found.attempt(reading, partial(Maps, path), None)
        if maps is None:
            continue
        step = -(-len(maps) * len(found.maps) // _MOST)
        for sample_id in maps.ids[:: max(step, 1)]:
            both = found.attempt(reading, partial(maps.both, sample_id), None)
            if both is not None and both[1] is not None:
                total, count = total + overlap_by_level(both[0], both[1]), count + 1
    return (total, count) if count else None


def dice_by_threshold(overlap: Overlap, column: int) -> tuple[Doubles, Doubles]:
    """Give dice of all pixels, and its mean over images, at each of `CUTS` below 1 [255]."""
    pooled = overlap.score(ThresholdAim.of("dice"))[column]
    images = overlap.score(ThresholdAim.of("image_dice"))[column]
    inside = slice(0, len(CUTS) - 1)
    return np.asarray(pooled[inside]), np.asarray(images[inside])
