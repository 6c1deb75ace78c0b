"""Curves: how a metric went in every fold, the stages one after the other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fivefold.apps.report.figures import INK, fold_color
from fivefold.apps.report.gathered import Histories

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Line = tuple[list[int], list[float]]


def columns_to_show(histories: Histories, primary_metric: str) -> dict[str, str]:
    """Choose what to draw: the loss and the metric that decides, of the validation fold.

    Returns:
        The metric's name to the column that is drawn.
    """
    columns = {name for rows in histories.values() for row in rows for name in row}
    wanted = dict.fromkeys(["loss", primary_metric.removeprefix("val_")])
    chosen = {}
    for name in wanted:
        column = next((c for c in (f"val_{name}", name) if c in columns), None)
        if column:
            chosen[name] = column
    return chosen


def lines(histories: Histories, column: str) -> tuple[dict[int, Line], list[int]]:
    """Put the stages one after the other.

    Returns:
        Fold to its epochs, counted from 1 over all stages, and values; and the number of epochs
        before each stage. A stage takes as many epochs as its longest fold.
    """
    starts, total = {}, 0
    for stage in sorted({stage for _, stage in histories}):
        starts[stage] = total
        total += max(len(rows) for (_, s), rows in histories.items() if s == stage)
    folds: dict[int, Line] = {}
    for (fold, stage), rows in sorted(histories.items()):
        epochs, values = folds.setdefault(fold, ([], []))
        for epoch, row in enumerate(rows, start=1):
            if column in row:
                epochs.append(starts[stage] + epoch)
                values.append(row[column])
    return folds, list(starts.values())


def draw_curves(axes: "Axes", histories: Histories, name: str, column: str) -> None:
    """Draw a line for each fold; thin dashes are the same metric on the training samples.

    Args:
        axes: Where to draw.
        histories: Metrics of each epoch.
        name: The metric; its own column is that of the training samples.
        column: What is drawn, such as `val_loss`.
    """
    found, starts = lines(histories, column)
    if name != column:
        _draw(axes, lines(histories, name)[0], linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
    _draw(axes, found, linewidth=1.6, marker="o", markersize=3)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.set_xlabel("epoch")
    axes.locator_params(axis="x", integer=True)
    for stage, start in enumerate(starts):
        if start:
            axes.axvline(start + 0.5, color=axes.spines["bottom"].get_edgecolor())
        place = (start + 0.5, 1.02)
        text = axes.annotate(f"stage {stage}", place, xycoords=axes.get_xaxis_transform())
        text.set(fontsize=8.5, color=INK, alpha=0.65)
    ends = [epoch for epochs, _ in found.values() for epoch in epochs]
    axes.set_xlim(0.5, max(ends, default=1) + 0.5)


def _draw(axes: "Axes", folds: Mapping[int, Line], **style: object) -> None:
    for fold, (epochs, values) in folds.items():
        # Infinity would stretch the axis without end; like NaN it becomes a gap.
        finite = [value if abs(value) < float("inf") else float("nan") for value in values]
        axes.plot(epochs, finite, color=fold_color(fold), **style)  # type: ignore[arg-type]  # matplotlib takes any
