"""The reliability diagram as a picture: raw, and scaled by the temperature."""

import math
from typing import TYPE_CHECKING

from fivefold.apps.report.figures import INK, SETTINGS, fold_color
from fivefold.core.figures import drawn, plain
from fivefold.evaluation.calibration import Calibration, CalibrationReport, HeadCalibration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BEFORE, _AFTER = fold_color(1), fold_color(0)
_SIDE = 4.0
_ROOM = 22  # points between axes and title, for a line of numbers


def draw_reliability(report: CalibrationReport) -> bytes:
    """Draw how often answers are right over their confidence, and how many there are of each.

    A row for each head: on the left raw, on the right scaled by temperatures that were chosen
    without each sample's fold. Bars are 95 % intervals.

    Returns:
        A PNG.
    """

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(
            2 * len(report.heads),
            2,
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=[4, 1] * len(report.heads),
        )
        for number, head in enumerate(report.heads):
            (left, right), (below_left, below_right) = panels[2 * number : 2 * number + 2]
            name = f"{plain(head.head)}: " if head.head else ""
            _draw_one(left, below_left, head.before, _BEFORE, f"{name}raw")
            _draw_after(right, below_right, head, name)
            left.set_ylabel("share that is right")
            below_left.set_ylabel("answers")

    return drawn(draw, (2 * _SIDE, 1.35 * _SIDE * len(report.heads)), settings=SETTINGS)


def _draw_after(axes: "Axes", below: "Axes", head: HeadCalibration, name: str) -> None:
    title = f"{name}scaled: temperature {head.temperature:.2f}"
    if head.after is None:
        axes.set_axis_off()
        below.set_axis_off()
        axes.set_title(title, loc="left", fontweight="bold")
        axes.text(0, 0.97, "undefined: it takes two folds to tell", verticalalignment="top")
        return
    _draw_one(axes, below, head.after, _AFTER, title)


def _draw_one(axes: "Axes", below: "Axes", found: Calibration, color: str, title: str) -> None:
    bins = [each for each in found.bins if each.count]
    sure, right = [b.confidence for b in bins], [b.right for b in bins]
    spans = [
        [max(0.0, b.right - b.interval[0]) for b in bins],
        [max(0.0, b.interval[1] - b.right) for b in bins],
    ]
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (4, 4)), alpha=0.5)
    axes.errorbar(
        sure, right, spans, color=color, marker="o", markersize=5, linewidth=1.6, clip_on=False
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(visible=True)
    axes.set_title(title, loc="left", fontweight="bold", pad=_ROOM)
    text = f"calibration error {found.error:.4f}"
    if not math.isnan(found.log_loss):
        text += f", log loss {found.log_loss:.4f}"
    # Above the axes, since points and whiskers may be anywhere inside.
    axes.text(0, 1.02, text, transform=axes.transAxes, verticalalignment="bottom")
    low, width = [b.low for b in found.bins], [b.high - b.low for b in found.bins]
    below.bar(
        low, [b.count for b in found.bins], [0.9 * w for w in width], align="edge", color=color
    )
    below.set(xlabel="confidence", xlim=(0, 1))
    below.grid(visible=True, axis="y")
    below.set_axisbelow(True)
