"""A picture of training samples beside their augmented selves, as they enter the network."""

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.augment import build_transforms, mixes_batches
from fivefold.build import build_prepare
from fivefold.build.pixels import build_preprocess
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.seeding import SampleGenerators
from fivefold.core.types import Image
from fivefold.data import Source
from fivefold.data.decode import ImageProblem
from fivefold.engine.captions import SMALL, font, shortened, shortened_in_the_middle

logger = logging.getLogger(__name__)

_MARGIN, _GAP, _LABEL, _HEAD, _INK, _SOFT = 14, 8, 150, 24, "#1c1c1e", "#6e6e73"
_SMALLEST, _LARGEST = 112, 224  # pixels of a picture's longer side on the sheet
_CANDIDATES = 4096


@dataclass(frozen=True)
class Preview:
    """What was drawn.

    Attributes:
        png: The picture.
        stage: Whose augmentation, 0-based.
        samples: How many rows it has.
        views: How many augmented views of each; 0 where the stage has none.
        mixes: Whether the stage mixes whole batches after that, which is not drawn.
    """

    png: bytes
    stage: int
    samples: int
    views: int
    mixes: bool


@dataclass(frozen=True)
class _Row:
    title: str
    sample_id: str
    pictures: list[Image]


def draw_preview(
    config: ExperimentConfig, source: Source, *, stage: int = 0, samples: int = 8, views: int = 5
) -> Preview:
    """Draw samples of all classes, each beside what fold 0 sees of it in its first epochs.

    The numbers that are drawn are those of training: the first augmented picture is the one of
    the first epoch, to the bit. In a stage with a frozen backbone they are the views that its
    features are computed of.

    Args:
        config: Checked.
        source: The data that it names.
        stage: Whose augmentation, 0-based; -1 is the last.
        samples: Rows.
        views: Augmented pictures in a row.

    Raises:
        ConfigError: If there is no such stage.
        DataError: If no image can be read.
    """
    chosen = _stage(config, stage)
    heads, rows = _headings(chosen, views), []
    for i in _spread(source, samples * 4):  # some more, in case that some cannot be read
        row = _row(config, source, chosen, i, len(heads))
        rows += [row] if row else []
        if len(rows) == samples:
            break
    if not rows:
        msg = "preview: expected at least 1 image that can be read, got 0"
        raise DataError(msg, hint="`fivefold check` tells what is wrong", slug="data/no-images")
    return Preview(
        _sheet(heads, rows),
        chosen.index,
        len(rows),
        _num_views(chosen, views),
        mixes_batches(chosen.augmentation),
    )


def _stage(config: ExperimentConfig, stage: int) -> ResolvedStage:
    stages = config.resolve()
    if not -len(stages) <= stage < len(stages):
        message = f"expected a stage from 0 to {len(stages) - 1}, got {stage}"
        raise ConfigError([Problem("config/no-such-stage", "", message)])
    return stages[stage]


def _sees_features(stage: ResolvedStage) -> bool:
    return stage.frozen and not mixes_batches(stage.augmentation)


def _num_views(stage: ResolvedStage, views: int) -> int:
    if not stage.augmentation:
        return 0
    return min(views, stage.frozen_views, stage.epochs) if _sees_features(stage) else views


def _headings(stage: ResolvedStage, views: int) -> list[str]:
    word = "view" if _sees_features(stage) else "epoch"
    seen = [f"{word} {number + 1}" for number in range(_num_views(stage, views))]
    return ["original", *(["transformed"] if stage.transforms else []), *seen]


def _row(
    config: ExperimentConfig, source: Source, stage: ResolvedStage, i: int, count: int
) -> _Row | None:
    preprocess = build_preprocess(config.shape)
    try:
        image = preprocess(source.image(i, preprocess.size), source.name_of(i))
    except ImageProblem as problem:
        logger.warning("%s: left out: %s", source.name_of(i), problem)
        return None
    plain = [image, build_transforms(stage.transforms)(image)] if stage.transforms else [image]
    prepare, sample_id = build_prepare(stage), source.sample_ids[i]
    # As `FoldData.train_batches` and, where the backbone is frozen, `compute_features` place them.
    before = () if _sees_features(stage) else (0, stage.index)
    places = ((*before, n) for n in range(count - len(plain)))
    seen = [
        prepare(image, SampleGenerators(config.seed, "augment", *place).of(sample_id))
        for place in places
    ]
    return _Row(_title(source, i), sample_id, [*plain, *seen])


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


def _sheet(heads: Sequence[str], rows: Sequence[_Row]) -> bytes:
    height, width = rows[0].pictures[0].shape[:2]
    scale = min(max(_SMALLEST / max(height, width), 1.0), _LARGEST / max(height, width))
    cell = (max(1, round(width * scale)), max(1, round(height * scale)))
    size = (
        2 * _MARGIN + _LABEL + len(heads) * (cell[0] + _GAP),
        2 * _MARGIN + _HEAD + len(rows) * (cell[1] + _GAP),
    )
    sheet = Pillow.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        place = (_MARGIN + _LABEL + column * (cell[0] + _GAP), _MARGIN)
        draw.text(place, shortened(head, cell[0]), _INK, font())
    for number, row in enumerate(rows):
        top = _MARGIN + _HEAD + number * (cell[1] + _GAP)
        draw.text((_MARGIN, top), shortened(row.title, _LABEL - _GAP), _INK, font())
        name = shortened_in_the_middle(row.sample_id, _LABEL - _GAP)
        draw.text((_MARGIN, top + 19), name, _SOFT, font(SMALL))
        for column, picture in enumerate(_shown(row.pictures, cell)):
            sheet.paste(picture, (_MARGIN + _LABEL + column * (cell[0] + _GAP), top))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _shown(pictures: Sequence[Image], size: tuple[int, int]) -> Iterator[Pillow.Image]:
    """Make pictures of a size: of 4 or more channels the first three, of 2 the first."""
    for image in pictures:
        pixels = image[:, :, :3] if image.shape[2] >= 3 else image[:, :, 0]
        picture = Pillow.fromarray(np.ascontiguousarray(pixels)).convert("RGB")
        larger = size[0] >= picture.width
        # Each pixel of a small image stays a square: this is what the network gets.
        method = Pillow.Resampling.NEAREST if larger else Pillow.Resampling.BOX
        yield picture.resize(size, method)
