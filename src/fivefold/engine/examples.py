"""Pictures of validation samples with what is true and what was predicted."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from fivefold.core.errors import DataError
from fivefold.core.optional import late
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.engine.captions import SMALL, font, shortened, shortened_in_the_middle, wrapped

if TYPE_CHECKING:
    import cv2
else:  # a report reads labels and draws no examples
    cv2 = late("cv2")

_PICTURE, _GAP, _FRAME, _LINE = 204, 16, 5, 19  # pixels
_Caption = list[tuple[str, str]]  # lines and their colours
_RIGHT, _WRONG, _UNKNOWN, _INK = "#1a7f5a", "#c8372d", "#8a8a8e", "#1c1c1e"
_SOFT = "#6e6e73"
_MARKS = {_RIGHT: "✓ ", _WRONG: "✗ ", _UNKNOWN: ""}  # not by colour alone


def decided(predictions: Predictions) -> Floats:
    """Turn one head's probabilities into labels: the likeliest class, or those above 0.5.

    Args:
        predictions: Predictions of a single head.

    Returns:
        0 or 1 in the columns of the classes [N, C].
    """
    if predictions.heads[0].activation == "sigmoid":
        return (predictions.probs > 0.5).astype(np.float32)
    labels = np.zeros_like(predictions.probs, dtype=np.float32)
    labels[np.arange(len(labels)), predictions.probs.argmax(axis=1)] = 1
    return labels


def mistake_confidence(predictions: Predictions) -> Floats:
    """Say how sure the model was of what is wrong, for each sample.

    Returns:
        The highest probability given to a wrong answer of any head [N], 0-1; 0 where every head
        is right. Where several labels may be true, leaving one out counts with 1 - p.

    Raises:
        DataError: If the truth is not known.
    """
    return worst_answers(predictions)[0]


def worst_answers(predictions: Predictions) -> tuple[Floats, Indices]:
    """Say how sure the model was of what is wrong, and of which class, for each sample.

    Returns:
        What `mistake_confidence` gives [N], and the column of the wrong answer among all heads', or
        of the label that was left out; -1 where every head is right [N].

    Raises:
        DataError: If the truth is not known.
    """
    worst = np.zeros(len(predictions), dtype=np.float32)
    columns = np.full(len(predictions), -1, dtype=np.int64)
    start = 0
    for part in predictions.by_head():
        labels = decided(part)
        wrong = labels != (part.truth > 0.5)
        sure = np.where(labels > 0, part.probs, 1 - part.probs)
        if part.heads[0].activation != "sigmoid":  # the class left out says nothing more
            wrong, sure = wrong & (labels > 0), part.probs
        # A mistake stays one, even if its probability was rounded to 0.
        surest = np.where(wrong, np.maximum(sure, np.finfo(np.float32).tiny), 0)
        columns = np.where(surest.max(axis=1) > worst, start + surest.argmax(axis=1), columns)
        worst = np.maximum(worst, surest.max(axis=1)).astype(np.float32)
        start += part.heads[0].num_classes
    return worst, columns


def pick_examples(predictions: Predictions, limit: int = 16) -> Indices:
    """Choose samples that show what a model does: half its worst mistakes, then every class.

    The order of the samples does not matter; equal ones are told apart by their ids.

    Args:
        predictions: Predictions with truth.
        limit: How many samples at most.

    Returns:
        Row numbers, the worst mistake first.

    Raises:
        DataError: If the truth is not known.
    """
    worst = surest_mistakes(predictions, limit // 2).tolist()
    rest = [i for i in by_id(predictions.ids) if i not in set(worst)]
    truth = predictions.by_head()[0].truth > 0.5
    return np.array(worst + spread_over(truth, rest, limit - len(worst)), dtype=np.int64)


def surest_mistakes(predictions: Predictions, limit: int) -> Indices:
    """Choose the mistakes that the model was surest of; equal ones by their ids.

    Args:
        predictions: Predictions with truth.
        limit: How many samples at most.

    Returns:
        Row numbers, the worst mistake first; none where all is right.

    Raises:
        DataError: If the truth is not known.
    """
    confidence = mistake_confidence(predictions)
    wrong = np.flatnonzero(confidence > 0).tolist()
    worst = nsmallest(limit, wrong, key=lambda i: (-confidence[i], predictions.ids[i]))
    return np.array(worst, dtype=np.int64)


def steady_examples(predictions: Predictions, limit: int = 16) -> Indices:
    """Choose samples of all classes in turn, whatever is predicted: the same in every epoch.

    Args:
        predictions: Predictions with truth.
        limit: How many samples at most.

    Returns:
        Row numbers.
    """
    truth = predictions.by_head()[0].truth > 0.5
    return np.array(spread_over(truth, by_id(predictions.ids), limit), dtype=np.int64)


def by_id(ids: Sequence[str]) -> list[int]:
    """Order rows by their samples' ids."""
    return sorted(range(len(ids)), key=ids.__getitem__)


def spread_over(truth: AnyArray, rows: list[int], count: int) -> list[int]:
    """Take samples of each class in turn; of some classes, evenly, where not all have room.

    Args:
        truth: Which classes are true of each sample, bool [N, C].
        rows: Those to choose among, in order.
        count: How many at most.
    """
    seen: dict[bytes, int] = {}
    turns: list[tuple[int, bytes, int]] = []
    for row in rows:
        key = np.flip(truth[row]).tobytes()  # reversed, so that sorting follows the class order
        seen[key] = seen.get(key, -1) + 1
        turns.append((seen[key], key, row))
    order = [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])]
    if count >= len(seen):
        return order[:count]
    return [order[i * len(seen) // count] for i in range(count)]


def draw_examples(
    images: Sequence[Image], predictions: Predictions, columns: int = 4, limit: int = 16
) -> bytes:
    """Draw a grid of samples: the picture, truth, prediction with its probability, and id.

    Of several labels the lowest probability is shown. Right samples have a green frame and a
    tick, wrong ones a red frame and a cross; a grey frame means that the truth is not known. Of
    pictures with 4 or more channels the first three are shown, of those with 2 the first.

    Args:
        images: Pictures [H, W, C] of any size, in the order of the predictions.
        predictions: What the model says about them.
        columns: Pictures side by side.
        limit: How many to draw at most.

    Returns:
        A PNG file; the same input gives the same bytes.

    Raises:
        DataError: If there is nothing to draw, or not one image for each prediction.
    """
    count = min(limit, len(predictions))
    if len(images) != len(predictions) or count < 1:
        found = f"{len(images)} images and {len(predictions)} predictions"
        msg = f"examples: expected at least 1 image, as many as predictions, got {found}"
        raise DataError(msg, slug="data/no-examples")
    samples = [predictions.take([i]) for i in range(count)]
    frames, captions = map(_worst, samples), map(_caption, samples)
    cells = zip(images, frames, captions, predictions.ids, strict=False)
    return _sheet([_Cell(*cell) for cell in cells], columns)


def draw_samples(
    images: Sequence[Image], labels: Sequence[str], ids: Sequence[str], columns: int = 4
) -> bytes:
    """Draw a grid of samples: the picture, its labels, and its id.

    Args:
        images: Pictures [H, W, C] of any size, at least one.
        labels: What is true of each.
        ids: Of each.
        columns: Pictures side by side.

    Returns:
        A PNG file; the same input gives the same bytes.
    """
    cells = [
        _Cell(image, _UNKNOWN, [(line, _INK) for line in wrapped("", [label], "", _PICTURE)], own)
        for image, label, own in zip(images, labels, ids, strict=True)
    ]
    return _sheet(cells, columns)


@dataclass(frozen=True)
class _Cell:
    """One picture of a sheet.

    Attributes:
        image: [H, W, C].
        frame: The colour around it.
        caption: Lines below it, each with its colour.
        sample_id: Written below them.
    """

    image: Image
    frame: str
    caption: _Caption
    sample_id: str


def _sheet(cells: Sequence[_Cell], columns: int) -> bytes:
    """Draw cells in rows, as a PNG file."""
    columns = min(columns, len(cells))
    cell_width = _PICTURE + _GAP
    # One more line for the id, which is drawn below the longest caption.
    cell_height = _PICTURE + (max(len(cell.caption) for cell in cells) + 1) * _LINE + _GAP + 4
    size = (columns * cell_width + _GAP, -(-len(cells) // columns) * cell_height + _GAP)
    sheet = Pillow.new("RGB", size, "white")
    for i, cell in enumerate(cells):
        row, column = divmod(i, columns)
        corner = (_GAP + column * cell_width, _GAP + row * cell_height)
        _draw_picture(sheet, corner, cell.image, cell.frame)
        _draw_text(sheet, corner, cell.caption, cell.sample_id)
    file = io.BytesIO()
    # The lowest level takes a quarter of the usual one's time for some more bytes.
    sheet.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _draw_picture(sheet: Pillow.Image, corner: tuple[int, int], image: Image, color: str) -> None:
    x, y = corner
    box = (x, y, x + _PICTURE, y + _PICTURE)
    ImageDraw.Draw(sheet).rounded_rectangle(box, 8, "#f2f2f4", color, _FRAME)
    picture = _fitted(image, _PICTURE - 2 * _FRAME - 2)
    left, top = (_PICTURE + 1 - picture.width) // 2, (_PICTURE + 1 - picture.height) // 2
    sheet.paste(picture, (x + left, y + top))


def _draw_text(
    sheet: Pillow.Image, corner: tuple[int, int], caption: _Caption, sample_id: str
) -> None:
    draw = ImageDraw.Draw(sheet)
    x, y = corner[0], corner[1] + _PICTURE + 4
    for line, color in caption:
        draw.text((x, y), line, color, font())
        y += _LINE
    draw.text((x, y + 1), shortened_in_the_middle(sample_id, _PICTURE), _SOFT, font(SMALL))


def _caption(sample: Predictions) -> _Caption:
    """Word truth and prediction of one sample; of several outputs a line or two for each."""
    parts = sample.by_head()
    lines: _Caption = []
    if len(parts) == 1:
        truth = ["truth not known"]
        if sample.targets is not None:
            truth = wrapped("true: ", _names(sample, sample.truth[0] > 0.5), "", _PICTURE)
        lines = [(line, _INK) for line in truth]
    for part in parts:
        color = _color(part)
        start = _MARKS[color]
        if len(parts) > 1:
            start = shortened(start + part.heads[0].name, _PICTURE / 3) + ": "
            if color == _WRONG:
                names = ", ".join(_names(part, part.truth[0] > 0.5))
                start += shortened(names, _PICTURE / 4) + " → "
        chosen = decided(part)[0] > 0.5
        found = wrapped(start, _names(part, chosen), _probability(part, chosen), _PICTURE)
        lines += [(line, color) for line in found]
    return lines


def _color(sample: Predictions) -> str:
    if sample.targets is None:
        return _UNKNOWN
    return _WRONG if mistake_confidence(sample)[0] > 0 else _RIGHT


def _worst(sample: Predictions) -> str:
    colors = [_color(part) for part in sample.by_head()]
    return max(colors, key=[_RIGHT, _UNKNOWN, _WRONG].index)


def _probability(sample: Predictions, chosen: AnyArray) -> str:
    values = sample.probs[0, chosen]
    if len(values) <= 1:
        return "".join(f" {value:.2f}" for value in values)
    return f" ≥ {math.floor(100 * values.min()) / 100:.2f}"  # rounded up, it would not be true


def _names(sample: Predictions, chosen: AnyArray) -> list[str]:
    return [sample.class_names[i] for i in np.flatnonzero(chosen)] or ["none"]


def _fitted(image: Image, side: int) -> Pillow.Image:
    """Scale an image into a square, as RGB."""
    height, width, channels = image.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = image[:, :, :3] if channels >= 3 else image[:, :, 0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=method)
    return Pillow.fromarray(scaled).convert("RGB")
