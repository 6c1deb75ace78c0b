"""Pixels at a network's size: one way to make them, and where they are kept."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from fivefold.augment import Augmentation, build_augmentation, build_transforms, located, resize
from fivefold.build.features import num_views, sees_features
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cache_home import cache_home
from fivefold.core.catalog import nowhere
from fivefold.core.cells import cells_of, each_cell, joined_cells
from fivefold.core.masks import MaskKind
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Image
from fivefold.data import Source
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.larger import have_more, open_larger
from fivefold.data.preprocess import Preprocess
from fivefold.data.samples import SampleTable

if TYPE_CHECKING:
    from fivefold.data.batches import Closer, CloserPrepare, Prepare


def show_alpha(source: Source, shape: tuple[int, int, int]) -> None:
    """Let a source give images with opacities as the network sees them: four channels, or RGB."""
    source.show_alpha(shape[2] == 4)


def build_preprocess(shape: tuple[int, int, int], masks: MaskKind | None = None) -> Preprocess:
    """Make what turns images into pixels of a network's [height, width, channels].

    Args:
        shape: Of the network.
        masks: How the masks are written that come with the images; None for none.
    """
    height, width, _ = shape
    return Preprocess(shape, partial(resize, height=height, width=width), masks)


def build_prepare(stage: ResolvedStage) -> "Prepare":
    """Make what turns resized pixels into what a stage's network sees.

    With a generator, as in training, an image is augmented; then, or else, it goes through the
    transforms that all images go through. Where images are cut, it gets cells in training, and
    whole images, whose cells are transformed one by one, without a generator. A mask goes with its
    image.
    """
    return _StagePrepare(stage)


class _StagePrepare:
    """What a stage does with resized pixels and their masks."""

    def __init__(self, stage: ResolvedStage) -> None:
        self._augmentation = _augmentation(stage)
        self._transform = build_transforms(stage.transforms)
        self._crops = stage.crops if stage.transforms else 1

    @overload
    def __call__(self, image: Image, rng: np.random.Generator | None, /) -> Image: ...
    @overload
    def __call__(
        self, image: Image, rng: np.random.Generator | None, mask: Image, /
    ) -> tuple[Image, Image]: ...
    def __call__(
        self, image: Image, rng: np.random.Generator | None, mask: Image | None = None, /
    ) -> Image | tuple[Image, Image]:
        """Change an image [H, W, C], and its mask [H, W, P] alike."""
        if mask is not None and rng is not None:
            return self._transform(*self._augmentation(image, rng, mask))
        if mask is not None:
            return self._whole(image, mask)
        if rng is not None:
            return self._transform(self._augmentation(image, rng))
        return each_cell(self._transform, self._crops)(image)

    def _whole(self, image: Image, mask: Image) -> tuple[Image, Image]:
        """Transform all cells of an image and of its mask."""
        cells = zip(cells_of(image, self._crops), cells_of(mask, self._crops), strict=True)
        images, masks = zip(*(self._transform(*pair) for pair in cells), strict=True)
        return joined_cells(images, self._crops), joined_cells(masks, self._crops)


def _augmentation(stage: ResolvedStage) -> Augmentation:
    return build_augmentation(located(stage.augmentation, Path(stage.directory)), nowhere)


def looks_closer(stage: ResolvedStage, shape: tuple[int, int, int]) -> bool:
    """Say whether a stage takes what its augmentation enlarges from larger pictures.

    Cells of images that are cut do not: they are parts already.
    """
    unseen = sees_features(stage) and not num_views(stage)
    if stage.detail == 1 or stage.crops > 1 or unseen or not stage.augmentation:
        return False
    return _augmentation(stage).enlarges(*shape[:2])


def larger_preprocess(shape: tuple[int, int, int], detail: float) -> Preprocess:
    """Make what turns images into pixels that are so many times as many along each side."""
    height, width, channels = shape
    return build_preprocess((round(height * detail), round(width * detail), channels))


def build_closer_prepare(stage: ResolvedStage) -> "CloserPrepare":
    """Make what `build_prepare` makes for training, with larger pictures for what is enlarged."""
    augmentation = _augmentation(stage)
    transform = build_transforms(stage.transforms)

    def prepare(image: Image, find: Callable[[], Image | None], rng: np.random.Generator) -> Image:
        return transform(augmentation.closer(image, find, rng))

    return prepare


def build_closer(stage: ResolvedStage, images: ResizedImages) -> "Closer | None":
    """Make how a stage sees what it enlarges; None where that is at the network's size."""
    from fivefold.data.batches import Closer  # noqa: PLC0415  needs OpenCV, which checks do without

    if images.larger is None or not looks_closer(stage, images.shape):
        return None
    return Closer(images.larger, build_closer_prepare(stage))


def add_larger(
    config: ExperimentConfig, images: ResizedImages, sizes: AnyArray, progress: Progress
) -> ResizedImages:
    """Give images their larger pictures, if some stage is to see them.

    Args:
        config: Its stages and `cache` decide.
        images: At the network's size; those that come with masks have no larger pictures.
        sizes: Height and width of each whole sample [N, 2].
        progress: Who watches them being made.
    """
    wanted = any(looks_closer(stage, config.shape) for stage in config.resolve())
    if images.masks or not (wanted and have_more(sizes, config.shape).any()):
        return images
    preprocess = larger_preprocess(config.shape, config.detail)
    kept = Kept(preprocess, len(images.source), cache_home(config.cache))
    return images.with_larger(open_larger(images, kept, sizes, progress))


def build_kept(config: ExperimentConfig, source: Source) -> Kept:
    """Open what keeps a source's pixels, as far as the config's `cache` allows."""
    show_alpha(source, config.shape)
    return Kept(build_preprocess(config.shape, source.masks), len(source), cache_home(config.cache))


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
    kept = kept or Kept(build_preprocess(shape, source.masks), len(source))
    return ResizedImages(source, table, kept)
