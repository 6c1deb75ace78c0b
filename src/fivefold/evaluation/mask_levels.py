"""Thresholds for the pixels of masks, chosen among all that stored maps can tell apart.

A map stores a probability as one of 256 levels, so a class can be cut off in 256 ways. For each
class, each level is counted once: the pixels that show the class, and all of them. From that come
hits and said pixels at every threshold, exactly and at once; means over images likewise, from the
same counts image by image. All of it are sums over images, so those of all folds but one are a
difference away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.core.masks import IGNORED
from fivefold.core.threshold_aim import ThresholdAim
from fivefold.core.types import Image, Indices
from fivefold.evaluation.count_scores import divided
from fivefold.evaluation.mask_answers import LEVELS
from fivefold.evaluation.mask_counts import dice_of, iou_of
from fivefold.evaluation.metrics import Doubles
from fivefold.evaluation.thresholds import NEVER, USUAL, Cuts, choose_cut, nearest_to_usual

CUTS = np.append((np.arange(LEVELS) + 0.5) / LEVELS, NEVER)
"""The threshold between each level and the next [256]; that above the highest says nothing."""

_ABSENT = "no pixel shows it: the threshold stays 0.5"
_COUNT = LEVELS + 1


@dataclass(frozen=True, eq=False)
class Overlap:
    """What answers have in common with the truth, in several ways of answering; sums over images.

    Attributes:
        hits: Pixels that are said to show a class, and do [..., K, ways].
        said: Pixels that are said to show it [..., K, ways].
        true: Pixels that show it [..., K, 1].
        dice: Sum of each image's dice [..., K, ways].
        iou: Sum of each image's IoU [..., K, ways].
        compared: Images where it is true or said [..., K, ways].
    """

    hits: Doubles
    said: Doubles
    true: Doubles
    dice: Doubles
    iou: Doubles
    compared: Doubles

    @classmethod
    def of_image(cls, hits: Indices, said: Indices, true: Indices) -> "Overlap":
        """Take the counts of one image [K, ways], [K, ways] and [K, 1]."""
        right, answered, whole = (each.astype(np.float64) for each in (hits, said, true))
        dice = np.nan_to_num(dice_of(right, answered, whole))
        iou = np.nan_to_num(iou_of(right, answered, whole))
        return cls(right, answered, whole, dice, iou, (answered + whole > 0).astype(np.float64))

    @classmethod
    def nothing(cls, num_classes: int, ways: int) -> "Overlap":
        """Begin a sum."""
        wide = [np.zeros((num_classes, ways)) for _ in range(5)]
        hits, said, dice, iou, compared = wide
        return cls(hits, said, np.zeros((num_classes, 1)), dice, iou, compared)

    def __add__(self, other: "Overlap") -> "Overlap":
        names = ("hits", "said", "true", "dice", "iou", "compared")
        return Overlap(*(getattr(self, name) + getattr(other, name) for name in names))

    def score(self, aim: ThresholdAim) -> Doubles:
        """Say how good each way is [..., K, ways]; NaN where that is undefined.

        It is what the aim asks for: an F, or dice, of all pixels, or a mean over images. For aims
        that are none of these it is dice of all pixels.
        """
        if aim.kind == "image_dice":
            return divided(self.dice, self.compared)
        if aim.kind == "image_iou":
            return divided(self.iou, self.compared)
        square = aim.value**2 if aim.kind == "f_beta" else 1.0  # most dice is most IoU too
        return divided((1 + square) * self.hits, self.said + square * self.true)


def overlap_by_level(probs: Image, truth: Image) -> Overlap:
    """Count one image at every threshold of `CUTS`.

    Args:
        probs: uint8, 255 for 1 [H, W, K].
        truth: 0 or 1 [H, W, K]; a pixel that any plane ignores counts in none.
    """
    ignored = (truth == IGNORED).any(axis=-1)
    if ignored.any():
        probs, truth = probs[~ignored], truth[~ignored]
    count = probs.shape[-1]
    hits, said, true = [], [], []
    for plane, shown in zip(probs.reshape(-1, count).T, truth.reshape(-1, count).T, strict=True):
        # Truth lies above the eight bits of the level.
        code = plane + shown * np.uint16(_COUNT)
        no, yes = np.bincount(code, minlength=2 * _COUNT).reshape(2, _COUNT)
        hits.append(_above(yes))
        said.append(_above(yes + no))
        true.append([yes.sum()])
    return Overlap.of_image(*(np.array(each) for each in (hits, said, true)))


def choose_levels_of_pixels(
    overlap: Overlap, class_names: tuple[str, ...], aim: ThresholdAim
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Choose the threshold of each class; of several that are as good, the nearest to 0.5.

    Args:
        overlap: At every threshold of `CUTS`, sums over images.
        class_names: The classes.
        aim: What thresholds are for; an F, precision and recall are of all pixels together, and
            with one threshold for all classes of all their pixels.

    Returns:
        One threshold for each class, and what could not be had, a sentence each.
    """
    count = len(class_names)
    if aim.kind == "fixed":
        return (aim.value,) * count, ()
    if not aim.per_class:
        threshold, remark = _of_pixels([a.sum(axis=0) for a in _pixels(overlap)], aim)
        return (threshold,) * count, (f"all classes: {remark}",) if remark else ()
    found = [_of_class(overlap, k, aim) for k in range(count)]
    named = zip(class_names, found, strict=True)
    remarks = tuple(f"{name!r}: {remark}" for name, (_, remark) in named if remark)
    return tuple(threshold for threshold, _ in found), remarks


def _above(levels: Indices) -> Indices:
    """Count what lies above each level [256]."""
    found: Indices = levels.sum() - np.cumsum(levels)
    return found


def _pixels(overlap: Overlap) -> tuple[Doubles, Doubles, Doubles]:
    return overlap.hits, overlap.said, overlap.true


def _of_class(overlap: Overlap, column: int, aim: ThresholdAim) -> tuple[float, str]:
    if aim.is_of_masks:
        if not overlap.true[column].any():
            return USUAL, _ABSENT
        scores = overlap.score(aim)[column]
        return nearest_to_usual(CUTS[scores == np.nanmax(scores)]), ""
    return _of_pixels([array[column] for array in _pixels(overlap)], aim)


def _of_pixels(counts: Sequence[Doubles], aim: ThresholdAim) -> tuple[float, str]:
    hits, said, true = counts
    if not true.any() and aim.kind != "precision":
        return USUAL, _ABSENT
    # falling, the one that says nothing first; others that say nothing add nothing
    order = np.flatnonzero(said > 0)[::-1]
    cuts = Cuts(
        np.append(NEVER, CUTS[order]),
        np.append(0.0, hits[order]),
        np.append(0.0, said[order]),
        int(true.sum()),
    )
    return choose_cut(cuts, aim)
