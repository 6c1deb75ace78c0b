"""Which stages train on features that are computed once, and on how many views of each image."""

from typing import NamedTuple

from fivefold.augment import mixes_batches
from fivefold.config import ResolvedStage


class Anew(NamedTuple):
    """Why a frozen backbone computes features in every epoch.

    Attributes:
        reason: A clause.
        without: What the stage would have to do without.
        seen: What the backbone sees every epoch.
    """

    reason: str
    without: str
    seen: str


_STEM = Anew(
    "a learned stem stands before the backbone",
    "`downscaling`",
    "what a learned stem makes of the images in",
)
_MASKS = Anew("a decoder sees maps of several levels", "masks", "the images in")
_POOLING = Anew("the pooling is learned", "`pooling: attention`", "the images in")
_CELLS = Anew("images are cut into cells", "`crops`", "the cells of the images in")
_MIXED = Anew("the images of each batch are mixed", "mixing", "the mixed images of")


def sees_features(stage: ResolvedStage) -> bool:
    """Say whether a stage trains on features that are computed once.

    Its backbone must be frozen. Where whole batches are mixed there are as many images as there are
    pairs of them, so these go through the backbone in every epoch. So do the cells of images that
    are cut, each of which is augmented on its own. What makes masks needs maps of several levels,
    many times as many numbers as a vector has. A pooling that learns would need the features of
    every position, many times as many numbers, and what a stem gives changes with every step.
    """
    return stage.frozen and why_anew(stage) is None


def why_anew(stage: ResolvedStage) -> Anew | None:
    """Say why a frozen backbone computes features in every epoch, if it does."""
    if stage.makes_masks:
        return _MASKS
    if stage.downscaling:
        return _STEM
    if stage.pooling == "attention":
        return _POOLING
    if stage.crops > 1:
        return _CELLS
    return _MIXED if mixes_batches(stage.augmentation) else None


def num_views(stage: ResolvedStage) -> int:
    """Count the augmented views that a frozen stage computes; no epoch is without one of its own.

    More views than epochs would never be seen.
    """
    augmented = stage.augmentation and sees_features(stage)
    return min(stage.frozen_views, stage.epochs) if augmented else 0
