"""From counts of pixels to numbers of classes; NaN where a class is nowhere.

Of one class S pixels are said to show it, T do, and H of both kinds; P pixels count in all. Sums
over all images come first, so no number depends on how images were put into batches.
"""

from collections.abc import Callable, Mapping

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray
from fivefold.evaluation.count_scores import divided
from fivefold.evaluation.counting import Tally
from fivefold.evaluation.metrics import Doubles

BY_CLASS = ("iou", "dice", "precision", "recall", "image_iou", "image_dice")
"""What there is of each class by itself, under `<name>_<class>`."""


def iou_of(hits: AnyArray, said: AnyArray, true: AnyArray) -> Doubles:
    """Intersection over union, H / (S + T - H); NaN where nothing is said or true."""
    return divided(hits, said + true - hits)


def dice_of(hits: AnyArray, said: AnyArray, true: AnyArray) -> Doubles:
    """Dice, 2 H / (S + T); NaN where nothing is said or true."""
    return divided(2 * hits, said + true)


OF_PIXELS: Mapping[str, Callable[[AnyArray, AnyArray, AnyArray], Doubles]] = {
    "iou": iou_of,
    "dice": dice_of,
    "precision": lambda hits, said, _: divided(hits, said),
    "recall": lambda hits, _, true: divided(hits, true),
}
"""Each number of H, S and T, whatever they are counted over."""


def check_measurable(scores: MaskScores) -> None:
    """Make sure that something can be measured.

    Raises:
        DataError: If there are no images.
    """
    if not len(scores):
        msg = "metrics: expected masks of at least 1 image, got 0"
        raise DataError(msg, slug="data/no-predictions")


def is_exclusive(scores: MaskScores) -> bool:
    """Say whether exactly one class is true of each pixel."""
    return MaskKind.of_head(scores.heads[0]).exclusive


def pooled(scores: MaskScores) -> Tally:
    """Add up the pixels of all images: P, and H, T and S of each class [K]."""
    check_measurable(scores)
    hits, true, said = (
        counts.sum(axis=0).astype(np.float64) for counts in (scores.hits, scores.true, scores.said)
    )
    return Tally(np.asarray(scores.pixels.sum(), np.float64), hits, true, said, {})


def by_class(scores: MaskScores, name: str) -> Doubles:
    """Compute one of `BY_CLASS` for each class [K]; NaN where it is undefined."""
    if name.startswith("image_"):
        return _over_images(scores, name.removeprefix("image_"))
    tally = pooled(scores)
    return OF_PIXELS[name](tally.hits, tally.answered, tally.true)


def of_images(scores: MaskScores, name: str) -> Doubles:
    """Compute `iou` or `dice` of each image and class [N, K]; NaN where an image has neither."""
    return OF_PIXELS[name](scores.hits, scores.said, scores.true)


def _over_images(scores: MaskScores, name: str) -> Doubles:
    """Average each class over the images where it is true or said [K]."""
    check_measurable(scores)
    values = of_images(scores, name)
    known = ~np.isnan(values)
    return divided(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))


def image_ious(scores: MaskScores) -> Doubles:
    """Measure each image alone: the mean IoU of the classes that are true or said in it [N].

    Of exclusive classes the background has no part in it. Where nothing is true and nothing is
    said, that is right: 1.
    """
    ious = of_images(scores, "iou")[:, 1 if is_exclusive(scores) else 0 :]
    known = (~np.isnan(ious)).sum(axis=1)
    found: Doubles = np.where(known > 0, np.nansum(ious, axis=1) / np.maximum(known, 1), 1.0)
    return found
