"""How numbers and names are written on the page."""

import math

from markupsafe import Markup

from fivefold.core.safe_html import escaped

_MOST = 160  # letters of a name; a page shows it many times
_END = 45
_UNKNOWN = "\N{EN DASH}"
_METRICS = {
    "brier": "Brier score",
    "cohen_kappa": "Cohen's kappa",
    "iou": "IoU",
    "image_iou": "IoU of an image",
    "image_dice": "dice of an image",
    "image_sensitivity": "images with it found",
    "image_specificity": "images without it left so",
    "foreground_iou": "foreground IoU",
    "foreground_image_iou": "foreground IoU of an image",
    "foreground_image_dice": "foreground dice of an image",
    "matthews_corrcoef": "Matthews correlation",
    "roc_auc": "ROC AUC",
}


def name(text: object) -> str:
    """Write a name on one line, shortened in the middle where it is very long."""
    whole = " ".join(escaped(str(text)).split("\n"))
    if len(whole) <= _MOST:
        return whole
    return f"{whole[: _MOST - _END]}…{whole[-_END:]}"


def isolated(text: object) -> Markup:
    """Write a name so that its direction, left or right, ends where it ends."""
    return Markup("<bdi>{}</bdi>").format(name(text))  # escapes it


def number(value: float, undefined: str = "undefined") -> str:
    """Write a metric: four decimals for what lies in 0-1, as many digits for what does not."""
    if math.isnan(value):
        return undefined
    if value != 0 and abs(value) < 0.0001:
        return f"{value:.2g}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.4g}"


def end(value: float) -> str:
    """Write the end of a scale with as few digits as it needs."""
    return f"{value:.4g}"


def score(value: float) -> str:
    """Write a fraction with three decimals."""
    return _UNKNOWN if math.isnan(value) else f"{value:.3f}"


def interval(low: float, high: float) -> str:
    """Write both ends of an interval."""
    return _UNKNOWN if math.isnan(low) else f"{number(low)} {_UNKNOWN} {number(high)}"


def percent(value: float) -> str:
    """Write a fraction as a percentage with one decimal."""
    return _UNKNOWN if math.isnan(value) else f"{100 * value:.1f} %"


def count(value: int) -> str:
    """Write a whole number with a comma between thousands."""
    return f"{value:,}"


def metric_name(text: str) -> str:
    """Write a metric's name in words."""
    if text in _METRICS:
        return _METRICS[text]
    words = text.replace("_", " ").strip()
    for short in ("f1", "auc"):
        words = " ".join(w.upper() if w == short else w for w in words.split(" "))
    return words


def capital(text: str) -> str:
    """Begin with a capital letter, and leave the rest."""
    return text[:1].upper() + text[1:]


def plural(count: int, word: str) -> str:
    """Write a number with its word: "1 sample", "3 classes"."""
    if count == 1:
        return f"1 {word}"
    return f"{count:,} {word}{'es' if word.endswith(('s', 'x')) else 's'}"
