"""Pixels at a network's size: one way to make them, and where they are kept."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fivefold.augment import build_augmentation, build_transforms, resize
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cache_home import cache_home
from fivefold.core.catalog import nowhere
from fivefold.core.cells import each_cell
from fivefold.core.types import Image
from fivefold.data import Source
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import SampleTable

if TYPE_CHECKING:
    from fivefold.data.batches import Prepare


def build_preprocess(shape: tuple[int, int, int]) -> Preprocess:
    """Make what turns images into pixels of a network's [height, width, channels]."""
    height, width, _ = shape
    return Preprocess(shape, partial(resize, height=height, width=width))


def build_prepare(stage: ResolvedStage) -> "Prepare":
    """Make what turns resized pixels into what a stage's network sees.

    With a generator, as in training, an image is augmented; then, or else, it goes through the
    transforms that all images go through. Where images are cut, it gets cells in training, and
    whole images, whose cells are transformed one by one, without a generator.
    """
    augmentation = build_augmentation(stage.augmentation, nowhere)
    transform = build_transforms(stage.transforms)
    of_whole = each_cell(transform, stage.crops) if stage.transforms else transform

    def prepare(image: Image, rng: np.random.Generator | None) -> Image:
        return of_whole(image) if rng is None else transform(augmentation(image, rng))

    return prepare


def build_kept(config: ExperimentConfig, source: Source) -> Kept:
    """Open what keeps a source's pixels, as far as the config's `cache` allows."""
    return Kept(build_preprocess(config.shape), len(source), cache_home(config.cache))


def build_images(
    shape: tuple[int, int, int], source: Source, table: SampleTable, kept: Kept | None = None
) -> ResizedImages:
    """Make the reader of a source's pixels at a network's [height, width, channels].

    Args:
        shape: Of the network.
        source: Where samples are read.
        table: Which of them.
        kept: What the audit has kept; without it, pixels are kept in memory as far as they fit.
    """
    return ResizedImages(source, table, kept or Kept(build_preprocess(shape), len(source)))
