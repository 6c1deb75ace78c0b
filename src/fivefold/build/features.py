"""Which stages train on features that are computed once, and on how many views of each image."""

from fivefold.augment import mixes_batches
from fivefold.config import ResolvedStage


def sees_features(stage: ResolvedStage) -> bool:
    """Say whether a stage trains on features that are computed once.

    Its backbone must be frozen. Where whole batches are mixed there are as many images as there are
    pairs of them, so these go through the backbone in every epoch. So do the cells of images that
    are cut, each of which is augmented on its own.
    """
    return stage.frozen and stage.crops == 1 and not mixes_batches(stage.augmentation)


def num_views(stage: ResolvedStage) -> int:
    """Count the augmented views that a frozen stage computes; no epoch is without one of its own.

    More views than epochs would never be seen.
    """
    augmented = stage.augmentation and sees_features(stage)
    return min(stage.frozen_views, stage.epochs) if augmented else 0
