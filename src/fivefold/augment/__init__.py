"""From decoded pixels to what a network sees: resizing, and random changes for training."""

from fivefold.augment.geometric import augmenters
from fivefold.augment.pipeline import Augmentation, build_augmentation, check_augmentation
from fivefold.augment.preprocess import resize

__all__ = ["Augmentation", "augmenters", "build_augmentation", "check_augmentation", "resize"]
