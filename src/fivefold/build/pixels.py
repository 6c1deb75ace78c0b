"""Pixels at a network's size: one way to make them, and where they are kept."""

from functools import partial

from fivefold.augment import resize
from fivefold.config import ExperimentConfig
from fivefold.core.cache_home import cache_home
from fivefold.data import Source
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import SampleTable


def build_preprocess(shape: tuple[int, int, int]) -> Preprocess:
    """Make what turns images into pixels of a network's [height, width, channels]."""
    height, width, _ = shape
    return Preprocess(shape, partial(resize, height=height, width=width))


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
