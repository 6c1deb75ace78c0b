"""Draw curves: a panel for each metric, a line for each fold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fivefold.apps.plot.reading import Log
from fivefold.core.figures import COLORS, drawn, plain
from fivefold.core.types import AnyArray

_STYLES = ("-", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))  # for folds of the same colour
_SETTINGS = {"axes.spines.left": False}
_TITLE = 40  # letters
_WIDTH, _NARROW_WIDTH, _HEIGHT = 5.6, 4.2, 3.6  # inches
_LEGEND = 1.15  # inches that the name of a line takes
_FEW, _TICKS = 40, 8  # epochs of which each has a dot, or a number below the axis
_NARROW = 0.05  # a stage that is a smaller part of the axis has no name on it
_INK = "#55555a"


@dataclass(frozen=True)
class _Span:
    """Stages that are drawn one after the other.

    Attributes:
        log: What there is.
        stages: Which ones, in order.
    """

    log: Log
    stages: Sequence[int]

    @property
    def starts(self) -> dict[int, int]:
        """Stage to the number of epochs before it."""
        lengths = [self.log.lengths[stage] for stage in self.stages]
        return dict(zip(self.stages, np.cumsum([0, *lengths[:-1]]).tolist(), strict=True))

    @property
    def length(self) -> int:
        return sum(self.log.lengths[stage] for stage in self.stages)

    def values(self, fold: int, column: str) -> AnyArray:
        """Give a fold's numbers [epochs]; what is not known, or infinite, is NaN."""
        values = np.full(self.length, np.nan)
        for stage, start in self.starts.items():
            for epoch, row in enumerate(self.log.histories.get((fold, stage), ())):
                values[start + epoch] = row.get(column, math.nan)
        values[~np.isfinite(values)] = np.nan
        return values


def draw_curves(
    log: Log,
    metrics: Mapping[str, Sequence[str]],
    kind: Literal["png", "svg"],
    *,
    each_stage: bool = False,
) -> bytes:
    """Draw metrics over epochs: bold of the validation samples, thin dashes of the training ones.

    Args:
        log: What there is.
        metrics: Title to columns, the first one bold.
        kind: Of the file.
        each_stage: Whether every stage has panels of its own, rather than all on one axis.

    Returns:
        The file; the same numbers give the same bytes.
    """
    stages = [*log.lengths]
    spans = [_Span(log, [stage]) for stage in stages] if each_stage else [_Span(log, stages)]
    columns = len(spans) if each_stage else min(len(metrics), 2 if len(metrics) == 4 else 3)
    rows = len(metrics) if each_stage else -(-len(metrics) // columns)
    width = _WIDTH if columns < 3 else _NARROW_WIDTH

    def draw(figure: Figure) -> None:
        panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
        places = [(title, span) for title in metrics for span in spans]
        for axes, (title, span) in zip(panels, places, strict=False):
            _draw_panel(axes, span, metrics[title])
            axes.set_title(plain(title, _TITLE), loc="left", pad=20, fontweight="bold")
        for axes in panels[len(places) :]:
            axes.set_axis_off()
        _name_lines(figure, log, metrics)

    # a row more for the names of the folds
    size = (max(width * columns, _WIDTH), _HEIGHT * rows + 0.6)
    return drawn(draw, size, kind, settings=_SETTINGS)


def _draw_panel(axes: Axes, span: _Span, columns: Sequence[str]) -> None:
    lines = []
    for number, column in enumerate(columns):
        for fold in span.log.folds:
            values = span.values(fold, column)
            lines.append(values)
            axes.plot(np.arange(1, len(values) + 1), values, **_look(span, fold, bold=not number))
    _scale(axes, np.concatenate(lines), columns[0])
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelcolor=_INK)
    axes.set_xlabel("epoch", color=_INK)
    axes.set_xlim(0.5, span.length + 0.5)
    if span.length <= _TICKS:
        axes.set_xticks(range(1, span.length + 1))
    else:
        axes.locator_params(axis="x", integer=True, nbins=_TICKS)
    _mark_stages(axes, span)


def _look(span: _Span, fold: int, *, bold: bool) -> dict[str, Any]:
    """Choose how a fold's line looks: colours, and after them dashes."""
    color = COLORS[fold % len(COLORS)]
    if not bold:
        dot = {"marker": "o", "markersize": 3, "fillstyle": "none"} if span.length == 1 else {}
        return {"color": color, "linewidth": 0.8, "linestyle": (0, (4, 3)), "alpha": 0.6, **dot}
    style = _STYLES[fold // len(COLORS) % len(_STYLES)]
    look = {"color": color, "linestyle": style, "linewidth": 1.6 if span.length <= 200 else 1.0}
    return look | ({"marker": "o", "markersize": 3} if span.length <= _FEW else {})


def _scale(axes: Axes, values: AnyArray, column: str) -> None:
    known = values[np.isfinite(values)]
    if not len(known):
        text = axes.text(0.5, 0.5, "no number in any epoch", transform=axes.transAxes)
        text.set(horizontalalignment="center", color=_INK, backgroundcolor="white")
        axes.set_yticks([])
    elif column.endswith("loss") and known.min() > 0 and known.max() > 1000 * known.min():
        axes.set_yscale("log")


def _mark_stages(axes: Axes, span: _Span) -> None:
    """Draw a line where a stage begins, and its name above."""
    for stage, start in span.starts.items():
        if start:
            axes.axvline(start + 0.5, color="#b4b4b2", linewidth=0.8)
        if span.log.lengths[stage] >= _NARROW * span.length:
            place = (start + 0.5, 1.02)
            text = axes.annotate(f"stage {stage}", place, xycoords=axes.get_xaxis_transform())
            text.set(fontsize=8.5, color=_INK)


def _name_lines(figure: Figure, log: Log, metrics: Mapping[str, Sequence[str]]) -> None:
    """Say which line is which fold, and what the dashes are."""
    axes = figure.axes[0]
    span = _Span(log, [*log.lengths])
    if len(log.folds) > 1:
        for fold in log.folds:
            axes.plot([], [], label=f"fold {fold}", **_look(span, fold, bold=True))
    if any(len(columns) > 1 for columns in metrics.values()):
        axes.plot([], [], color=_INK, linewidth=1.6, label="validation")
        dashes: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (4, 3))}
        axes.plot([], [], color=_INK, label="training", **dashes)
    if axes.get_legend_handles_labels()[0]:
        in_a_row = max(int(figure.get_figwidth() / _LEGEND), 1)
        figure.legend(loc="outside lower center", ncols=in_a_row, frameon=False)
