"""Differences over samples: which of them one experiment gets right and another does not.

Of masks it is the difference of the images' IoU.
"""

from dataclasses import dataclass

import numpy as np

from fivefold.apps.compare.reading import Compared
from fivefold.core.errors import FivefoldError
from fivefold.core.found import join_found, load_found
from fivefold.core.mask_scores import MaskScores
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Head
from fivefold.evaluation.differences import (
    Difference,
    paired_numbers_over_samples,
    paired_over_samples,
)
from fivefold.evaluation.mask_counts import image_ious
from fivefold.evaluation.metrics import Flags, answers_of, checked

_OTHERS = "it was measured on other samples, classes or labels"


@dataclass(frozen=True, eq=False)
class Answered:
    """What an experiment says of samples that its models have not seen, in the order of their ids.

    Attributes:
        ids: The samples [N].
        heads: With the names of the classes.
        truth: Which classes are true [N, C].
        right: Whether every answer about a sample is right [N].
    """

    ids: tuple[str, ...]
    heads: tuple[Head, ...]
    truth: Flags
    right: Flags


@dataclass(frozen=True, eq=False)
class Masked:
    """How good an experiment's masks are of images that its models have not seen, by their ids.

    Attributes:
        ids: The images [N].
        heads: With the names of the classes.
        ious: The IoU of each image; see `evaluation.mask_counts.image_ious` [N].
    """

    ids: tuple[str, ...]
    heads: tuple[Head, ...]
    ious: AnyArray


def answered_by(one: Compared) -> Answered | Masked | str:
    """Read the out-of-fold predictions of an experiment; or say why there are none."""
    if one.folder is None or not one.by_fold:
        return "its folds are not known"
    stage = int(one.metrics["stage"]["mean"])
    paths = [one.folder.predictions("validation", fold, stage) for fold in one.by_fold]
    if not all(path.exists() for path in paths):
        return "its out-of-fold predictions are not there"
    try:
        found = join_found([load_found(path) for path in paths]).sorted()
        if isinstance(found, MaskScores):
            return Masked(found.ids, found.heads, image_ious(found))
        right = np.logical_and.reduce([_right(part) for part in found.by_head()])
        return Answered(found.ids, found.heads, found.truth > 0.5, right)
    except FivefoldError as error:
        return str(error).partition("\n")[0]


def over_samples(one: Answered | Masked | str, other: Answered | Masked | str) -> Difference:
    """Compare the shares of samples that two experiments are right about, or the means of IoU.

    Args:
        one: What one says, or why nothing is known.
        other: The other.
    """
    if isinstance(one, str):
        return Difference(why=one)
    if isinstance(other, str):
        return Difference(why=f"of what it is compared with: {other}")
    is_same = one.ids == other.ids and one.heads == other.heads
    if is_same and isinstance(one, Masked) and isinstance(other, Masked):
        return paired_numbers_over_samples(one.ious, other.ious)
    if isinstance(one, Masked) or isinstance(other, Masked):
        return Difference(why=_OTHERS)
    if not is_same or not np.array_equal(one.truth, other.truth):
        return Difference(why=_OTHERS)
    return paired_over_samples(one.right, other.right)


def _right(part: Predictions) -> Flags:
    """Say whether all of one head's answers about each sample are right [N]."""
    probs, truth = checked(part)
    right: Flags = (answers_of(part, probs) == answers_of(part, truth)).all(axis=1)
    return right
