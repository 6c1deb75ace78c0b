"""Curves of the learning-rate finder."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fivefold.core.arguments import as_whole, is_number, refuse_argument
from fivefold.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

logger = logging.getLogger(__name__)

_LINE, _SMOOTH, _MARK = "#9bb8cc", "#0072b2", "#d55e00"


@dataclass(frozen=True)
class Curve:
    """What is drawn.

    Attributes:
        lrs: Learning rates.
        losses: The loss with each.
        smoothed: The same, smoothed.
        marked: A rate to point out; 0: none.
        scale: Of the axis of rates: `log` or `linear`.
    """

    lrs: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    marked: float
    scale: str = "log"


def draw_loss(
    curve: Curve, n_skip_beginning: int, n_skip_end: int, figure: Figure | None = None
) -> Figure:
    """Draw the loss over the rate, the smoothed one above it, and what it suggests.

    Args:
        curve: What is drawn.
        n_skip_beginning: Steps that are left out at the beginning.
        n_skip_end: Steps that are left out at the end.
        figure: An empty one to draw on; if not given, pyplot's current one.
    """
    chosen = _chosen(len(curve.lrs), n_skip_beginning, n_skip_end)
    axes = _axes("loss", curve.scale, figure)
    lrs = curve.lrs[chosen]
    axes.plot(lrs, curve.losses[chosen], color=_LINE, linewidth=1, label="each step")
    axes.plot(lrs, curve.smoothed[chosen], color=_SMOOTH, label="smoothed")
    if curve.marked:
        label = f"falls fastest: {curve.marked:.2g}"
        axes.axvline(curve.marked, color=_MARK, linestyle="--", label=label)
    axes.legend(frameon=False)
    return _figure_of(axes)


def draw_change(
    curve: Curve,
    sma: int,
    n_skip: tuple[int, int],
    y_lim: tuple[float, float],
    figure: Figure | None = None,
) -> Figure:
    """Draw the mean change of the loss in a step over the `sma` steps before each.

    Args:
        curve: What is drawn.
        sma: Over so many steps the change is averaged.
        n_skip: Steps that are left out at the beginning and at the end.
        y_lim: The lowest and the highest change that is shown.
        figure: As for `draw_loss`.
    """
    if as_whole("sma", sma) < 1:
        message = f"sma: expected at least 1 step, got {sma}"
        raise ConfigError([Problem("config/bad-value", "", message)])
    if not (isinstance(y_lim, Sequence) and len(y_lim) == 2 and all(map(is_number, y_lim))):
        refuse_argument("y_lim", "the lowest and the highest change", y_lim)
    losses = np.array(curve.losses)
    changes = np.zeros(len(losses))
    changes[sma:] = (losses[sma:] - losses[:-sma]) / sma
    # The first ones have no change to show.
    chosen = _chosen(len(losses), max(as_whole("n_skip_beginning", n_skip[0]), sma), n_skip[1])
    axes = _axes("change of the loss in a step", curve.scale, figure)
    axes.plot(curve.lrs[chosen], changes[chosen], color=_SMOOTH)
    axes.axhline(0, color="#d4d4d2", linewidth=0.8)
    axes.set_ylim(*y_lim)
    return _figure_of(axes)


def png(figure: Figure) -> bytes:
    """Write a figure as the bytes of a PNG file, the same each time."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144, metadata={"Software": None})
    return file.getvalue()


def new_figure() -> Figure:
    """Make a figure that pyplot does not know, so that no window ever shows it."""
    return Figure(figsize=(7, 4), layout="constrained")


def _axes(label: str, scale: str, figure: Figure | None) -> "Axes":
    axes = _current_axes(label) if figure is None else figure.subplots()
    axes.set_xscale(scale)
    axes.set_xlabel("learning rate (log scale)" if scale == "log" else "learning rate")
    axes.set_ylabel(label)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _current_axes(label: str) -> "Axes":
    """Take pyplot's current axes, so that `plt.savefig` and `plt.show` have the curve.

    Curves of one kind share axes. Where something else is drawn there, a new figure becomes the
    current one: losses and changes of losses have no axis in common.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415  only those who draw without a figure

    try:
        axes = plt.gca()
        if axes.has_data() and axes.get_ylabel() != label:
            axes = plt.figure().gca()
    except ImportError as error:  # the backend that the user has named wants a screen
        logger.warning("pyplot cannot draw: %s; `savefig` of the returned figure can", error)
        return new_figure().subplots()
    return axes


def _figure_of(axes: "Axes") -> Figure:
    figure = axes.figure
    while not isinstance(figure, Figure):  # a part of a figure
        figure = figure.figure
    return figure


def _chosen(length: int, beginning: int, end: int) -> slice:
    """Leave some steps out at both ends, unless nothing would be left."""
    beginning, end = as_whole("n_skip_beginning", beginning), as_whole("n_skip_end", end)
    if beginning < 0 or end < 0:
        message = f"n_skip: expected numbers of steps of at least 0, got {beginning} and {end}"
        raise ConfigError([Problem("config/bad-value", "", message)])
    chosen = slice(beginning, max(length - end, 0))
    return chosen if len(range(length)[chosen]) > 1 else slice(0, length)
