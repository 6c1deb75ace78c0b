"""What is counted of masks, image by image: all numbers of masks are made of sums of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head, Indices
from fivefold.evaluation.count_scores import divided, mean_over_classes
from fivefold.evaluation.mask_counts import OF_PIXELS, dice_of, iou_of
from fivefold.evaluation.metrics import Doubles

PER_CLASS = (
    "iou",
    "dice",
    "precision",
    "recall",
    "image_iou",
    "image_dice",
    "image_sensitivity",
    "image_specificity",
)
"""The numbers of each class."""

SHARES = (
    "iou",
    "dice",
    "foreground_iou",
    "foreground_dice",
    "precision",
    "recall",
    "pixel_accuracy",
    "image_iou",
    "image_dice",
    "image_sensitivity",
    "image_specificity",
)
"""What is shown of all classes together, in this order, 0-1 each; `head_numbers` has more."""

SEEN = ("image_sensitivity", "image_specificity")
"""Those that ask whether an image shows a class at all."""

_OF_CLASS = (
    "hits",
    "said",
    "true",
    "compared",
    "iou_sum",
    "dice_sum",
    "present",
    "found",
    "absent",
    "quiet",
)
_OF_ALL = ("images", "pixels", "right", "log_loss_sum", "measured")


@dataclass(frozen=True, eq=False)
class MaskTally:
    """Sums over images; the leading axes may be units, folds or resamples.

    Attributes:
        head: What the classes are.
        columns: The sums [..., classes * what is counted of each + what is counted of all].
    """

    head: Head
    columns: Doubles

    @classmethod
    def of(cls, scores: MaskScores, units: Indices, num_units: int) -> "MaskTally":
        """Sum up images by unit.

        Args:
            scores: Of N images.
            units: Each image's unit [N].
            num_units: How many there are.
        """
        rows = np.concatenate([*_of_classes(scores), *_of_all(scores)], axis=1)
        sums = np.zeros((num_units, rows.shape[1]))
        np.add.at(sums, units, rows)
        return cls(scores.heads[0], sums)

    @property
    def total(self) -> "MaskTally":
        """All units together."""
        return MaskTally(self.head, self.columns.sum(axis=0))

    def weighted(self, weights: NDArray[np.float32]) -> "MaskTally":
        """Count units several times, as often as said for each resample [R, units]."""
        # Pixels of thousands of images are more than single precision can count.
        return MaskTally(self.head, weights.astype(np.float64) @ self.columns)

    def of_class(self, name: str) -> Doubles:
        """Give one sum of each class [..., K]."""
        count = self.head.num_classes
        start = _OF_CLASS.index(name) * count
        return self.columns[..., start : start + count]

    def of_all(self, name: str) -> Doubles:
        """Give one sum that is not of a class [...]."""
        return self.columns[..., len(_OF_CLASS) * self.head.num_classes + _OF_ALL.index(name)]


def class_numbers(tally: MaskTally) -> dict[str, Doubles]:
    """Compute the numbers of each class [..., K]; NaN where one is undefined.

    Of all pixels together: `iou` = hits / (said + true - hits), `dice` = 2 hits / (said + true),
    `precision` = hits / said, `recall` = hits / true. `image_iou` and `image_dice` are means over
    images, of those where the class is true or said; where it is but one of both they are 0.
    `image_sensitivity`: of images that show the class, how many are said to; `image_specificity`:
    of images that do not, how many are said not to.
    """
    hits, said, true = (tally.of_class(name) for name in ("hits", "said", "true"))
    compared = tally.of_class("compared")
    return {
        **{name: number(hits, said, true) for name, number in OF_PIXELS.items()},
        "image_iou": divided(tally.of_class("iou_sum"), compared),
        "image_dice": divided(tally.of_class("dice_sum"), compared),
        "image_sensitivity": divided(tally.of_class("found"), tally.of_class("present")),
        "image_specificity": divided(tally.of_class("quiet"), tally.of_class("absent")),
    }


def head_numbers(
    tally: MaskTally, classes: Mapping[str, Doubles], known: Mapping[str, Doubles] | None = None
) -> dict[str, Doubles]:
    """Compute what stands for all classes [...]: means over classes, and shares of all pixels.

    Args:
        tally: Sums.
        classes: What `class_numbers` gives of them.
        known: The same of all images, if these are resamples of them: a class that has a number
            there and none here counts as it does there.
    """
    if known is not None:
        classes = {n: np.where(np.isnan(own), known[n], own) for n, own in classes.items()}
    found = {}
    if tally.head.num_classes > 1:
        found = {name: mean_over_classes(classes[name]) for name in PER_CLASS}
        if tally.head.activation == "softmax":
            rest = {name: mean_over_classes(classes[name][..., 1:]) for name in PER_CLASS}
            found |= {name: rest[name] for name in SEEN}
            found |= {f"foreground_{n}": rest[n] for n in PER_CLASS if n not in SEEN}
    else:
        found = {name: classes[name][..., 0] for name in PER_CLASS}
    pixels = tally.of_all("pixels")
    found["pixel_accuracy"] = divided(tally.of_all("right"), pixels)
    found["log_loss"] = divided(tally.of_all("log_loss_sum"), tally.of_all("measured"))
    return found


def _of_classes(scores: MaskScores) -> list[Doubles]:
    hits, said, true = scores.hits, scores.said, scores.true
    is_there, is_said = true > 0, said > 0
    counts = scores.pixels[:, None] > 0  # else nobody knows what the image shows
    found = {
        "hits": hits,
        "said": said,
        "true": true,
        "compared": is_there | is_said,
        "iou_sum": np.nan_to_num(iou_of(hits, said, true)),
        "dice_sum": np.nan_to_num(dice_of(hits, said, true)),
        "present": is_there,
        "found": is_there & is_said,
        "absent": ~is_there & counts,
        "quiet": ~is_there & ~is_said & counts,
    }
    return [found[name].astype(np.float64) for name in _OF_CLASS]


def _of_all(scores: MaskScores) -> list[Doubles]:
    pixels = scores.pixels.astype(np.float64)
    if scores.heads[0].activation == "softmax":
        right = scores.hits.sum(axis=1).astype(np.float64)
    else:  # the mean over classes of what is right about each
        wrong = scores.said + scores.true - 2 * scores.hits
        right = pixels - wrong.mean(axis=1)
    measured = pixels > 0
    found = {
        "images": np.ones(len(scores)),
        "pixels": pixels,
        "right": right,
        "log_loss_sum": np.where(measured, scores.log_losses, 0),
        "measured": measured,
    }
    return [found[name].astype(np.float64)[:, None] for name in _OF_ALL]
