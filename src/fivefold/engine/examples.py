"""Pictures of validation samples with what is true and what was predicted."""

import importlib.util
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import AnyArray, Floats, Image, Indices

_PICTURE, _GAP, _FRAME, _LINE = 204, 16, 5, 19  # pixels
_RIGHT, _WRONG, _UNKNOWN, _INK = "#1a7f5a", "#c8372d", "#8a8a8e", "#1c1c1e"
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
    worst = np.zeros(len(predictions), dtype=np.float32)
    for part in predictions.by_head():
        labels = decided(part)
        wrong = labels != (part.truth > 0.5)
        sure = np.where(labels > 0, part.probs, 1 - part.probs)
        if part.heads[0].activation != "sigmoid":  # the class left out says nothing more
            wrong, sure = wrong & (labels > 0), part.probs
        # A mistake stays one, even if its probability was rounded to 0.
        surest = np.where(wrong, np.maximum(sure, np.finfo(np.float32).tiny), 0).max(axis=1)
        worst = np.maximum(worst, surest).astype(np.float32)
    return worst


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
    confidence = mistake_confidence(predictions)
    by_id = sorted(range(len(predictions)), key=predictions.ids.__getitem__)
    mistakes = sorted((i for i in by_id if confidence[i] > 0), key=lambda i: -confidence[i])
    worst = mistakes[: limit // 2]
    rest = [i for i in by_id if i not in set(worst)]
    return np.array(worst + _spread(predictions, rest, limit - len(worst)), dtype=np.int64)


def _spread(predictions: Predictions, rows: list[int], count: int) -> list[int]:
    """Take samples of each class in turn; of some classes, evenly, where not all have room."""
    truth = predictions.by_head()[0].truth > 0.5
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
    """Draw a grid of samples: the picture, the truth, and the prediction with its probability.

    Right ones have a green frame and a tick, wrong ones a red frame and a cross; a grey frame
    means that the truth is not known. Of pictures with 4 or more channels the first three are
    shown, of those with 2 the first.

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
    columns = min(columns, count)
    lines = 2 if len(predictions.heads) == 1 else len(predictions.heads)
    cell_width = _PICTURE + _GAP
    cell_height = _PICTURE + lines * _LINE + _GAP + 4
    size = (columns * cell_width + _GAP, -(-count // columns) * cell_height + _GAP)
    sheet = Pillow.new("RGB", size, "white")
    for i in range(count):
        row, column = divmod(i, columns)
        corner = (_GAP + column * cell_width, _GAP + row * cell_height)
        _draw_cell(sheet, corner, images[i], predictions.take([i]))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _draw_cell(
    sheet: Pillow.Image, corner: tuple[int, int], image: Image, sample: Predictions
) -> None:
    x, y = corner
    draw = ImageDraw.Draw(sheet)
    parts = sample.by_head()
    colors = [_color(part) for part in parts]
    worst = max(colors, key=[_RIGHT, _UNKNOWN, _WRONG].index)
    draw.rounded_rectangle((x, y, x + _PICTURE, y + _PICTURE), 8, "#f2f2f4", worst, _FRAME)
    picture = _fitted(image, _PICTURE - 2 * _FRAME - 2)
    left, top = (_PICTURE + 1 - picture.width) // 2, (_PICTURE + 1 - picture.height) // 2
    sheet.paste(picture, (x + left, y + top))

    y += _PICTURE + 4
    if len(parts) == 1:
        truth = "truth not known" if sample.targets is None else f"true: {_truth(sample)}"
        draw.text((x, y), _shortened(truth, _PICTURE), _INK, _font())
        text = _prediction(sample, _MARKS[worst], _PICTURE)
        draw.text((x, y + _LINE), text, worst, _font())
        return
    for line, (part, color) in enumerate(zip(parts, colors, strict=True)):
        start = _shortened(_MARKS[color] + part.heads[0].name, _PICTURE / 3) + ": "
        if color == _WRONG:
            start += _shortened(_truth(part), _PICTURE / 4) + " → "
        draw.text((x, y + line * _LINE), _prediction(part, start, _PICTURE), color, _font())


def _color(sample: Predictions) -> str:
    if sample.targets is None:
        return _UNKNOWN
    return _WRONG if mistake_confidence(sample)[0] > 0 else _RIGHT


def _truth(sample: Predictions) -> str:
    return _listed(sample, np.flatnonzero(sample.truth[0] > 0.5))


def _prediction(sample: Predictions, start: str, width: int) -> str:
    """Word the predicted labels so that the probability is never what is cut off."""
    chosen = np.flatnonzero(decided(sample)[0])
    end = ", ".join(f"{sample.probs[0, i]:.2f}" for i in chosen[:3]) + "…" * (len(chosen) > 3)
    end = f" {end}" if end else ""
    room = width - _font().getlength(start + end)
    return start + _shortened(_listed(sample, chosen), room) + end


def _listed(sample: Predictions, columns: AnyArray) -> str:
    return ", ".join(sample.class_names[i] for i in columns) or "none"


def _shortened(text: str, width: float) -> str:
    """Cut a text to a width in pixels; what cannot be drawn on one line is shown as a box."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:400])
    if _font().getlength(text) <= width:
        return text
    ends = range(len(text), -1, -1)
    fitting = (text[:end].rstrip() + "…" for end in ends)
    return next((t for t in fitting if _font().getlength(t) <= width), "…")


def _fitted(image: Image, side: int) -> Pillow.Image:
    """Scale an image into a square, as RGB."""
    height, width, channels = image.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = image[:, :, :3] if channels >= 3 else image[:, :, 0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=method)
    return Pillow.fromarray(scaled).convert("RGB")


@cache
def _font() -> ImageFont.FreeTypeFont:
    """Open DejaVu Sans, which comes with matplotlib: Pillow's own font lacks most letters."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    # Basic layout: the same bytes whether or not the system has Raqm.
    return ImageFont.truetype(str(path), 13, layout_engine=ImageFont.Layout.BASIC)
