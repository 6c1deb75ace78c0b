"""Pictures of samples: the image, the mask that is true, and the one that was predicted."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.errors import DataError
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Head, Image, Indices
from fivefold.engine.captions import SMALL, font, shortened, shortened_in_the_middle
from fivefold.engine.examples import by_id, spread_over
from fivefold.engine.mask_legend import draw_legend
from fivefold.engine.overlays import (
    as_rgb,
    ignored_in,
    overlaid,
    scaled,
    shown_classes,
)
from fivefold.evaluation.mask_counts import image_ious

_PANEL, _GAP, _LINE, _BETWEEN = 204, 20, 19, 4  # pixels
_TITLES = ("image", "truth", "prediction")
_INK, _SOFT = "#1c1c1e", "#6e6e73"
_THIRDS = 3


@dataclass(frozen=True, eq=False)
class ShownMask:
    """A sample as it is drawn.

    Attributes:
        sample_id: Written below it.
        image: [H, W, C].
        masks: One picture each, [H, W, P] of the image's size: the truth, and what was predicted.
        caption: A line about it.
    """

    sample_id: str
    image: Image
    masks: Sequence[Image]
    caption: str = ""


def worst_masks(scores: MaskScores, limit: int) -> Indices:
    """Choose the images with the lowest IoU, the lowest first; none that are wholly right."""
    ious = image_ious(scores)
    order = _by_iou(scores, ious)
    return np.array([row for row in order if ious[row] < 1][:limit], dtype=np.int64)


def pick_masks(scores: MaskScores, limit: int = 12) -> Indices:
    """Choose images of the lowest, the middle and the highest IoU, as many of each.

    Returns:
        Row numbers, the worst first; equal ones are told apart by their ids.
    """
    order = _by_iou(scores, image_ious(scores))
    if len(order) <= limit:
        return np.array(order, dtype=np.int64)
    part = max(limit // _THIRDS, 1)
    middle = (len(order) - part) // 2
    chosen = [*order[:part], *order[middle : middle + part], *order[-part:]]
    return np.array(list(dict.fromkeys(chosen))[:limit], dtype=np.int64)


def steady_masks(scores: MaskScores, limit: int = 12) -> Indices:
    """Choose images with all classes in turn, whatever is predicted: the same in every epoch."""
    shown = list(shown_classes(MaskKind.of_head(scores.heads[0])))
    truth = scores.true[:, shown] > 0
    return np.array(spread_over(truth, by_id(scores.ids), limit), dtype=np.int64)


def captions_of(scores: MaskScores) -> list[str]:
    """Word how good the mask of each image is."""
    kind, names = MaskKind.of_head(scores.heads[0]), scores.class_names
    shown = list(shown_classes(kind))
    lines = []
    for row, iou in enumerate(image_ious(scores)):
        true, said = scores.true[row, shown], scores.said[row, shown]
        if not true.any():
            lines.append("✗ nothing to find" if said.any() else "✓ nothing to find, nothing said")
            continue
        missed = [names[k] for k in shown if scores.true[row, k] and not scores.hits[row, k]]
        text = f"IoU {iou:.2f}"
        lines.append(f"{text}, missed: {', '.join(missed)}" if missed else text)
    return lines


def draw_masks(
    samples: Sequence[ShownMask], head: Head, columns: int = 2, titles: Sequence[str] = _TITLES
) -> bytes:
    """Draw samples: the picture, and beside it each of its masks over it.

    A class has a colour and an outline, named below where there are several; pixels that do not
    count are grey.

    Args:
        samples: At least one; all with as many masks.
        head: What the classes are.
        columns: Samples side by side.
        titles: What stands above the pictures of a sample.

    Returns:
        A PNG file; the same input gives the same bytes.

    Raises:
        DataError: If there is nothing to draw.
    """
    if not samples:
        msg = "examples: expected at least 1 image, got 0"
        raise DataError(msg, slug="data/no-examples")
    kind, columns = MaskKind.of_head(head), min(columns, len(samples))
    pictures = 1 + len(samples[0].masks)
    width = pictures * (_PANEL + _BETWEEN) - _BETWEEN + _GAP
    height = _PANEL + 3 * _LINE + _GAP
    rows = -(-len(samples) // columns)
    legend = draw_legend(
        head.class_names, kind, columns * width - _GAP, ignored=_has_ignored(samples)
    )
    size = (columns * width + _GAP, rows * height + _GAP + legend.height)
    sheet = Pillow.new("RGB", size, "white")
    for i, sample in enumerate(samples):
        row, column = divmod(i, columns)
        corner = (_GAP + column * width, _GAP // 2 + row * height)
        _draw_sample(sheet, corner, sample, kind, titles)
    sheet.paste(legend, (_GAP, rows * height + _GAP // 2))
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=1)  # a quarter of the usual level's time
    return file.getvalue()


def _draw_sample(
    sheet: Pillow.Image,
    corner: tuple[int, int],
    sample: ShownMask,
    kind: MaskKind,
    titles: Sequence[str],
) -> None:
    draw, (x, y) = ImageDraw.Draw(sheet), corner
    for number, title in enumerate(titles):
        left = x + number * (_PANEL + _BETWEEN)
        draw.text((left, y), title, _SOFT, font(SMALL))
        picture = _panel(sample, number, kind)
        sheet.paste(picture, (left, y + _LINE))
    room = len(titles) * (_PANEL + _BETWEEN) - _BETWEEN
    below = y + _LINE + _PANEL + 4
    draw.text((x, below), shortened(sample.caption, room), _INK, font())
    below += _LINE if sample.caption else 0
    draw.text((x, below), shortened_in_the_middle(sample.sample_id, room), _SOFT, font(SMALL))


def _panel(sample: ShownMask, number: int, kind: MaskKind) -> Pillow.Image:
    """Make one of a sample's pictures: the image alone, or a mask over it."""
    height, width = sample.image.shape[:2]
    scale = _PANEL / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels: Image = cv2.resize(as_rgb(sample.image), (size[1], size[0]), interpolation=method)  # type: ignore[assignment]  # OpenCV's types do not keep uint8
    if number:
        mask = scaled(sample.masks[number - 1], kind, size)
        pixels = overlaid(pixels, mask, kind, width=2)
    return Pillow.fromarray(pixels)


def _has_ignored(samples: Sequence[ShownMask]) -> bool:
    return any(ignored_in(mask).any() for sample in samples for mask in sample.masks)


def _by_iou(scores: MaskScores, ious: AnyArray) -> list[int]:
    return sorted(range(len(scores)), key=lambda row: (ious[row], scores.ids[row]))
