"""The files of an evaluation of masks: tables and pictures."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fivefold.core.figures import COLORS, drawn, plain
from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation.count_scores import divided
from fivefold.evaluation.estimates import Estimate
from fivefold.evaluation.mask_assessment import MaskAssessment
from fivefold.evaluation.mask_counts import of_images
from fivefold.evaluation.mask_tables import mask_rows
from fivefold.evaluation.mask_tally import PER_CLASS
from fivefold.evaluation.tables import csv_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COUNTS = ("pixels", "said", "images", "found", "without", "quiet", "compared")
_INK, _SOFT, _MARK = "#1c1c1e", "#6e6e73", "#0b6e99"
_SETTINGS: Mapping[str, Any] = {
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_BARS = 120  # classes that a picture of bars shows


def mask_files(assessment: MaskAssessment) -> Iterator[tuple[str, bytes]]:
    """Make `per_class.csv`, `per_image.csv`, `classes.png` and `images.png`."""
    yield "per_class.csv", csv_bytes(class_rows(assessment))
    yield "per_image.csv", csv_bytes(mask_rows(assessment.scores))
    yield "classes.png", draw_classes(assessment)
    yield "images.png", draw_images(assessment.scores)


def class_rows(assessment: MaskAssessment) -> list[list[str]]:
    """List all classes with their numbers, a header first.

    Columns: `class`, counts of pixels and images, and for each of `mask_tally.PER_CLASS` the
    number, `_low`, `_high` and `_std_over_folds`. What is undefined is an empty cell.
    """
    ends = ("", "_low", "_high", "_std_over_folds")
    rows = [["class", *_COUNTS, *(f"{name}{end}" for name in PER_CLASS for end in ends)]]
    for own in assessment.classes:
        counts = [str(getattr(own, name)) for name in _COUNTS]
        cells = [cell for name in PER_CLASS for cell in _cells(own.numbers[name])]
        rows.append([own.name, *counts, *cells])
    return rows


def draw_classes(assessment: MaskAssessment) -> bytes:
    """Draw IoU of each class with its interval, the best first."""
    order = sorted(assessment.classes, key=lambda own: (-_known(own.numbers["iou"]), own.name))
    shown = order[-_BARS:]

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        places = np.arange(len(shown))
        found = [own.numbers["iou"] for own in shown]
        axes.barh(places, [max(_known(one), 0) for one in found], color=_MARK, height=0.62)
        for place, one in enumerate(found):
            if not math.isnan(one.low):
                axes.plot([one.low, one.high], [place, place], color=_INK, linewidth=1)
            if math.isnan(one.value):
                axes.text(0.01, place, "undefined", color=_SOFT, fontsize=8, va="center")
        names = [f"{plain(own.name)}  ({own.images:,} images)" for own in shown]
        axes.set_yticks(places, names, fontsize=8)
        axes.set(xlim=(0, 1.02), ylim=(len(shown) - 0.4, -0.6), xlabel="IoU with 95 % interval")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        if len(order) > len(shown):
            left = len(order) - len(shown)
            axes.set_title(f"the {len(shown)} lowest; {left} higher ones are not shown", fontsize=9)

    return drawn(draw, (6.4, 0.26 * len(shown) + 1.1), settings=_SETTINGS)


def draw_images(scores: MaskScores) -> bytes:
    """Draw each image's IoU over how much of it a class covers; empty ones stand at the left."""
    iou = of_images(scores, "iou")
    share = divided(scores.true.astype(np.float64), scores.pixels.astype(np.float64)[:, None])

    def draw(figure: "Figure") -> None:
        axes: Axes = figure.subplots()
        first = 1 if scores.heads[0].activation == "softmax" else 0
        for k, name in list(enumerate(scores.class_names))[first : first + len(COLORS)]:
            color = COLORS[(k - first) % len(COLORS)]
            axes.scatter(share[:, k], iou[:, k], s=14, color=color, alpha=0.6, label=plain(name))
        axes.set(ylim=(-0.03, 1.03), xlabel="true pixels, as a part of the image", ylabel="IoU")
        axes.set_xlim(left=-0.01)
        axes.grid()
        axes.set_axisbelow(True)
        if len(scores.class_names) > 1:
            figure.legend(loc="outside right upper", frameon=False, fontsize=9)

    return drawn(draw, (6.4, 4.4), settings=_SETTINGS)


def _cells(found: Estimate) -> list[str]:
    numbers = (found.value, found.low, found.high, found.std_over_folds)
    return [_written(number) for number in numbers]


def _written(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.6g}"


def _known(found: Estimate) -> float:
    return -1.0 if math.isnan(found.value) else found.value
