"""The report's pictures as files of their own."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fivefold.apps.report.curves import columns_to_show, draw_curves
from fivefold.apps.report.figures import INK, SETTINGS, fold_color
from fivefold.apps.report.gather import gather
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.matrices import Matrix, confusion
from fivefold.apps.report.reliability_picture import draw_reliability
from fivefold.core.durable import write_bytes
from fivefold.core.figures import drawn, plain
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.evaluation.assessment import assess
from fivefold.evaluation.calibration import calibration_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_pictures(folder: RunFolder) -> list[Path]:
    """Write the pictures of curves, confusion and reliability as far as there is data.

    They are `pictures/curves.png`, `confusion.png` and `reliability.png`. Where several labels may
    be true, `confusion.png` shows each class's F1 instead.

    Args:
        folder: A run folder in any state.

    Returns:
        The files written.
    """
    found = gather(folder)
    pictures = folder.root / "pictures"
    written = []
    if columns_to_show(found.histories, found.primary_metric):
        written.append(pictures / "curves.png")
        write_bytes(written[-1], _curves(found))
    if found.predictions is not None and found.predictions.targets is not None:
        written.append(pictures / "confusion.png")
        write_bytes(written[-1], _confusions(found.predictions))
        written.append(pictures / "reliability.png")
        report = calibration_of(found.predictions, found.folds_of_samples)
        write_bytes(written[-1], draw_reliability(report))
    return written


def _curves(found: Gathered) -> bytes:
    columns = columns_to_show(found.histories, found.primary_metric)

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(columns), squeeze=False)[0]
        for axes, (name, column) in zip(panels, columns.items(), strict=True):
            draw_curves(axes, found.histories, name, column)
            axes.set_title(plain(column), loc="left", pad=18, fontweight="bold")
        for fold in sorted({fold for fold, _ in found.histories}):
            panels[0].plot([], [], color=fold_color(fold), label=f"fold {fold}")
        figure.legend(loc="outside lower center", ncols=8, frameon=False)

    return drawn(draw, (5.6 * len(columns), 4.2), settings=SETTINGS)


def _confusions(predictions: Predictions) -> bytes:
    parts = predictions.by_head()
    matrices = [confusion(part) for part in parts]
    side = max(5.5, *(0.24 * min(len(p.class_names), 60) + 2 for p in parts))

    def draw(figure: "Figure") -> None:
        panels = figure.subplots(1, len(parts), squeeze=False)[0]
        for axes, part, matrix in zip(panels, parts, matrices, strict=True):
            if matrix is None:
                _draw_f1(axes, part)
            else:
                _draw_matrix(axes, matrix)
            axes.set_title(plain(part.heads[0].name), loc="left", fontweight="bold")

    return drawn(draw, (side * len(parts), side), settings=SETTINGS)


def _draw_matrix(axes: "Axes", matrix: Matrix) -> None:
    names, shares = [plain(name) for name in matrix.class_names], matrix.shares
    size = 9 if len(names) <= 20 else 6
    # The page's colours: blue for what is right, red for what is not, which the eye finds first.
    right = np.eye(len(names), dtype=bool)
    strength = np.where(right, shares, np.minimum(1.25 * np.sqrt(shares), 1))[:, :, None]
    strong = np.where(right[:, :, None], (11, 110, 153), (200, 55, 45)) / 255
    axes.imshow(0.97 + strength * (strong - 0.97))
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    for row, column in np.argwhere(matrix.counts).tolist():
        color = "white" if strength[row, column] > 0.5 else INK
        text = axes.text(column, row, str(matrix.counts[row, column]), color=color)
        text.set(horizontalalignment="center", verticalalignment="center", fontsize=size)


def _draw_f1(axes: "Axes", predictions: Predictions) -> None:
    (head,) = assess(predictions, resamples=0).heads
    rows = sorted((row for row in head.classes if row.f1.is_defined), key=lambda row: row.f1.value)
    rows = rows[:60]
    values = [row.f1.value for row in rows]
    axes.barh([str(i) for i in range(len(rows))], values, color=fold_color(0))
    axes.set_yticks(range(len(rows)), [plain(row.name) for row in rows], fontsize=8)
    axes.tick_params(length=0)
    axes.set(xlim=(0, 1), xlabel="F1")
