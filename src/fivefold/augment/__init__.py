"""From decoded pixels to what a network sees: resizing, and random changes for training."""

from fivefold.augment import (  # noqa: F401  they fill the catalog
    affine_cv2,
    axes,
    background,
    blend,
    blur,
    brightness,
    canny,
    clouds,
    colour,
    contrast,
    convolve,
    cropping,
    dropout,
    fields,
    fixed_size,
    geometric,
    histogram,
    noise,
    pillow_like,
    policies,
    pooling,
    quantise,
    rearranged,
    resized_crop,
    resizing,
    salt,
    segments,
    snow,
    structures,
    within,
)
from fivefold.augment.catalog import augmenters
from fivefold.augment.folders import folders_in, located
from fivefold.augment.mixing import build_mixing, mixers, mixes_batches
from fivefold.augment.pipeline import (
    Augmentation,
    build_augmentation,
    build_transforms,
    check_augmentation,
)
from fivefold.augment.preprocess import resize

__all__ = [
    "Augmentation",
    "augmenters",
    "build_augmentation",
    "build_mixing",
    "build_transforms",
    "check_augmentation",
    "folders_in",
    "located",
    "mixers",
    "mixes_batches",
    "resize",
]
