"""Which samples a preview shows, and what the network is shown of them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from fivefold.apps.preview.masks import laid_over, legend_of
from fivefold.apps.preview.sheet import Legend, Row, draw_sheet
from fivefold.augment import build_transforms, mixes_batches
from fivefold.build import build_prepare, num_views, sees_features
from fivefold.build.pixels import (
    build_closer_prepare,
    build_preprocess,
    larger_preprocess,
    looks_closer,
)
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.cells import cell_name, cells_of
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.masks import as_nearest
from fivefold.core.seeding import SampleGenerators
from fivefold.core.types import Image
from fivefold.data import Source
from fivefold.data.image_problem import ImageProblem
from fivefold.data.preprocess import Preprocess
from fivefold.engine.overlays import shown_classes

logger = logging.getLogger(__name__)

_CANDIDATES = 4096
_Cell: TypeAlias = tuple[Image, Image | None]  # pixels, and their mask


@dataclass(frozen=True)
class Preview:
    """What was drawn.

    Attributes:
        png: The picture.
        stage: Whose augmentation, 0-based.
        samples: How many rows it has.
        views: How many augmented views of each; 0 where the stage has none.
        mixes: Whether the stage mixes whole batches after that, which is not drawn.
        crops: Into how many cells along each side images are cut, each augmented on its own.
    """

    png: bytes
    stage: int
    samples: int
    views: int
    mixes: bool
    crops: int = 1


def draw_preview(
    config: ExperimentConfig, source: Source, *, stage: int = 0, samples: int = 8, views: int = 5
) -> Preview:
    """Draw samples of all classes, each beside what fold 0 sees of it in the first epochs.

    The numbers that are drawn are those of training: the first augmented picture is the one of
    the first epoch, to the bit. In a stage with a frozen backbone they are the views that its
    features are computed of. Where images are cut, all cells of each are drawn, in their places;
    where samples have masks, these are drawn over them.

    Args:
        config: Checked.
        source: What is drawn; `training_samples` finds those that fold 0 is trained on.
        stage: Whose augmentation, 0-based; -1 is the last.
        samples: Rows.
        views: Augmented pictures in a row; as many as the stage has epochs, if it has fewer.

    Raises:
        ConfigError: If there is no such stage.
        DataError: If no image can be read.
    """
    chosen = find_stage(config, stage)
    plain, seen = _headings(chosen, views)
    rows: list[Row] = []
    for i in _spread(source, samples * 4):  # some more, in case that some cannot be read
        row = _row(config, source, chosen, i, len(seen))
        rows += [row] if row else []
        if len(rows) == samples:
            break
    if not rows:
        msg = "preview: expected at least 1 image that can be read, got 0"
        raise DataError(msg, hint="`fivefold check` tells what is wrong", slug="data/no-images")
    return Preview(
        draw_sheet([*plain, *seen], rows, plain=len(plain), legend=_legend(source)),
        chosen.index,
        len(rows),
        len(seen),
        mixes_batches(chosen.augmentation),
        chosen.crops,
    )


def _legend(source: Source) -> Legend | None:
    """Name the colours of masks; None where there is but one, or none."""
    kind = source.masks
    if kind is None or len(shown_classes(kind)) < 2:
        return None
    return partial(legend_of, source.labels[0].class_names, kind)


def find_stage(config: ExperimentConfig, stage: int) -> ResolvedStage:
    """Find a stage by its number; -1 is the last.

    Raises:
        ConfigError: If there is no such stage.
    """
    stages = config.resolve()
    if not -len(stages) <= stage < len(stages):
        message = f"stage: expected a number from 0 to {len(stages) - 1}, got {stage}"
        raise ConfigError([Problem("config/no-such-stage", "", message)])
    return stages[stage]


def _headings(stage: ResolvedStage, views: int) -> tuple[list[str], list[str]]:
    """Name the pictures that are not augmented, and those that are."""
    if not stage.augmentation:
        count, word = 0, ""
    elif sees_features(stage):
        count, word = min(views, num_views(stage)), "view"
    else:
        count, word = min(views, stage.epochs), "epoch"
    plain = ["original", *(["transformed"] if stage.transforms else [])]
    return plain, [f"{word} {number + 1}" for number in range(count)]


def _row(
    config: ExperimentConfig, source: Source, stage: ResolvedStage, i: int, count: int
) -> Row | None:
    preprocess = build_preprocess(config.shape, source.masks)
    try:
        image = _image(source, i, preprocess)
        mask = as_nearest(source.mask(i), *preprocess.size) if source.masks else None
    except ImageProblem as problem:
        logger.warning("%s: left out: %s", source.name_of(i), problem)
        return None
    cells, sample_id = _cut(image, mask, stage.crops), source.sample_ids[i]
    plain = [cells]
    if stage.transforms:
        transform = build_transforms(stage.transforms)
        plain.append([_prepared(transform, cell) for cell in cells])
    augmented = partial(_augmented, cells, sample_id, config.seed, stage)
    if looks_closer(stage, config.shape) and mask is None:
        augmented = partial(_closer, image, _larger(config, source, i), sample_id, config, stage)
    pictures = [*plain, *map(augmented, range(count))]
    return Row(_title(source, i), sample_id, [_drawn(picture, source) for picture in pictures])


def _cut(image: Image, mask: Image | None, crops: int) -> list[_Cell]:
    """Cut an image, and its mask if there is one, into cells."""
    cells = cells_of(image, crops)
    masks = [None] * len(cells) if mask is None else cells_of(mask, crops)
    return list(zip(cells, masks, strict=True))


def _prepared(change: Callable[..., Any], cell: _Cell, *drawn: Any) -> _Cell:
    """Change a cell; its mask goes with it."""
    image, mask = cell
    if mask is None:
        return change(image, *drawn), None
    changed: _Cell = change(image, *drawn, mask)
    return changed


def _drawn(cells: Sequence[_Cell], source: Source) -> list[Image]:
    """Give pictures of cells, with their masks over them."""
    kind = source.masks
    return [
        image if mask is None or kind is None else laid_over(image, mask, kind)
        for image, mask in cells
    ]


def _augmented(
    cells: list[_Cell], sample_id: str, seed: int, stage: ResolvedStage, number: int
) -> list[_Cell]:
    """Augment an image's cells, as `FoldData.train_batches` or `compute_features` would."""
    generators = _generators(seed, stage, number)
    names = [cell_name(sample_id, stage.crops, k) for k in range(len(cells))]
    prepare = build_prepare(stage)
    return [
        _prepared(prepare, cell, generators.of(name))
        for cell, name in zip(cells, names, strict=True)
    ]


def _image(source: Source, i: int, preprocess: Preprocess) -> Image:
    return preprocess(source.image(i, preprocess.size), source.name_of(i))


def _larger(config: ExperimentConfig, source: Source, i: int) -> Image | None:
    """Read the larger picture of a sample that has more pixels than the network sees."""
    height, width, _ = config.shape
    whole = source.fetch(i).decode(config.shape[:2])
    if whole.height * whole.width <= height * width:
        return None
    return _image(source, i, larger_preprocess(config.shape, config.detail))


def _closer(
    image: Image,
    larger: Image | None,
    sample_id: str,
    config: ExperimentConfig,
    stage: ResolvedStage,
    number: int,
) -> list[_Cell]:
    """Augment an image of which parts are enlarged, as `_augmented` does others."""
    rng = _generators(config.seed, stage, number).of(sample_id)
    return [(build_closer_prepare(stage)(image, lambda: larger, rng), None)]


def _generators(seed: int, stage: ResolvedStage, number: int) -> SampleGenerators:
    before = () if sees_features(stage) else (0, stage.index)
    return SampleGenerators(seed, "augment", *before, number)


def _title(source: Source, i: int) -> str:
    target, names = source.target(i), [n for labels in source.labels for n in labels.class_names]
    if target is None:
        return ""
    return ", ".join(names[k] for k in np.flatnonzero(target > 0.5).tolist()) or "none"


def _spread(source: Source, count: int) -> list[int]:
    """Choose samples of each class in turn; of many classes, evenly."""
    candidates = np.unique(np.linspace(0, len(source) - 1, _CANDIDATES).astype(int)).tolist()
    seen: dict[bytes, int] = {}
    turns: list[tuple[int, bytes, int]] = []
    for i in candidates if len(source) else []:
        target = source.target(i)
        key = b"" if target is None else np.flip(target).tobytes()
        seen[key] = seen.get(key, -1) + 1
        turns.append((seen[key], key, i))
    turns.sort(key=lambda turn: turn[:2])
    order = [i for _, _, i in turns]
    if count >= len(seen):
        return order[:count]
    return [order[k * len(seen) // count] for k in range(count)]
