"""Pictures of an assessment that can be read for 2 classes and for hundreds."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.colors import to_rgb

from fivefold.core.figures import COLORS, drawn, plain
from fivefold.core.types import Indices
from fivefold.evaluation.assessment import ClassScores, Curve, HeadAssessment
from fivefold.evaluation.metrics import Doubles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _SOFT, _RULE = "#1c1c1e", "#6e6e73", "#d4d4d2"
_RIGHT, _WRONG, _PAPER = "#0b6e99", "#c8372d", "#f7f7f7"
_SETTINGS: Mapping[str, Any] = {
    "axes.labelcolor": _INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}
_NAMED = 120  # classes whose names have room beside a matrix
_NUMBERED = 40  # classes whose counts have room in its cells
_COLORED = len(COLORS) - 1  # curves that are told apart: grey is for the others
_BARS = 120  # classes that a picture of bars shows


def draw_confusion(head: HeadAssessment) -> bytes:
    """Draw how often each true class (row) was answered with each class (column).

    Of a sigmoid head: how many samples of each class were found, missed and invented.
    """
    if not head.exclusive:
        return _draw_found(head)
    counts = head.confusion
    side = float(np.clip(0.26 * len(counts) + 2, 4.2, 26))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(counts), dtype=bool)
    # What is rare and wrong is seen too.
    strength = np.where(right, shares, np.minimum(1.25 * np.sqrt(shares), 1))

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        strong = np.where(right[:, :, None], to_rgb(_RIGHT), to_rgb(_WRONG))
        paper = np.array(to_rgb(_PAPER))
        axes.imshow(paper + strength[:, :, None] * (strong - paper), interpolation="nearest")
        axes.spines[:].set_visible(False)
        axes.set(xlabel="answered", ylabel="true")
        _name_cells(axes, head.class_names)
        if len(counts) <= _NUMBERED:
            _write_counts(axes, counts, strength)

    return drawn(draw, (side, side), settings=_SETTINGS)


def draw_roc(head: HeadAssessment) -> bytes:
    """Draw the ROC curve of each class against the rest."""

    def finish(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=_RULE, linewidth=1, linestyle="--", zorder=0)
        axes.set(xlabel="false positive rate", ylabel="true positive rate")

    return _draw_curves(head, "ROC AUC", lambda own: (own.roc, own.roc_auc.value), finish)


def draw_pr(head: HeadAssessment) -> bytes:
    """Draw precision over recall of each class."""

    def finish(axes: "Axes") -> None:
        axes.set(xlabel="recall", ylabel="precision")

    def curve(own: ClassScores) -> tuple[Curve | None, float]:
        return own.pr, own.average_precision.value

    return _draw_curves(head, "average precision", curve, finish, step=True)


def draw_classes(head: HeadAssessment) -> bytes:
    """Draw F1 of each class with its interval, the best first."""
    order = sorted(head.classes, key=lambda own: (-_known(own.f1.value), own.name))
    shown, left_out = order, 0
    if len(order) > _BARS:
        left_out = len(order) - _BARS
        shown = order[left_out:]

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        values = np.array([_known(own.f1.value, 0) for own in shown])
        places = np.arange(len(shown))
        axes.barh(places, values, color=_RIGHT, height=0.62, alpha=0.85)
        _draw_intervals(axes, shown)
        for place, own in enumerate(shown):
            if np.isnan(own.f1.value):
                axes.text(0.01, place, "undefined", color=_SOFT, fontsize=8, va="center")
        names = [f"{plain(own.name)}  ({own.support:,})" for own in shown]
        axes.set_yticks(places, names, fontsize=8)
        axes.set(xlim=(0, 1.02), ylim=(len(shown) - 0.4, -0.6), xlabel="F1 with 95 % interval")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        title = plain(head.name) or ""
        more = f"the {len(shown)} lowest; {left_out} higher ones are not shown" if left_out else ""
        axes.set_title(": ".join(filter(None, [title, more])), fontsize=10)

    return drawn(draw, (6.4, 0.2 * len(shown) + 1.1), settings=_SETTINGS)


def _draw_intervals(axes: "Axes", shown: Sequence[ClassScores]) -> None:
    for place, own in enumerate(shown):
        if not np.isnan(own.f1.low):
            ends = [own.f1.low, own.f1.high]
            axes.plot(ends, [place, place], color=_INK, linewidth=1, solid_capstyle="butt")


def _draw_found(head: HeadAssessment) -> bytes:
    """Draw for each class how many samples were found, missed and invented."""
    order = np.argsort([-own.support for own in head.classes], kind="stable")[:_BARS]
    counts = head.confusion[order]
    found, missed, invented = counts[:, 1, 1], counts[:, 1, 0], counts[:, 0, 1]

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        places = np.arange(len(order))
        axes.barh(places, found, color=_RIGHT, height=0.62, label="found")
        axes.barh(places, missed, left=found, color="#e69f00", height=0.62, label="missed")
        axes.barh(places, -invented, color=_WRONG, height=0.62, label="answered, not true")
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set_yticks(places, [plain(head.class_names[i]) for i in order], fontsize=8)
        axes.set(ylim=(len(order) - 0.4, -0.6), xlabel="samples")
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        axes.set_title(plain(head.name), fontsize=10)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)

    return drawn(draw, (6.4, 0.2 * len(order) + 1.5), settings=_SETTINGS)


def _draw_curves(
    head: HeadAssessment,
    number: str,
    curve_of: Callable[[ClassScores], tuple[Curve | None, float]],
    finish: Callable[["Axes"], None],
    *,
    step: bool = False,
) -> bytes:
    """Draw a curve for each class; of many, the lowest ones are told apart."""
    known = [(own, *curve_of(own)) for own in head.classes]
    there = [(own, curve, value) for own, curve, value in known if curve is not None]
    lowest = sorted(there, key=lambda one: (one[2], one[0].name))[:_COLORED]
    colored = {own.name for own, _, _ in lowest}
    style: Literal["steps-pre", "default"] = "steps-pre" if step else "default"

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for own, curve, _ in there:
            if own.name not in colored:
                axes.plot(curve.x, curve.y, color=_SOFT, linewidth=0.6, alpha=0.35, drawstyle=style)
        for order, (own, curve, value) in enumerate(lowest):
            label = f"{plain(own.name, 22)}  {value:.3f}"
            axes.plot(
                curve.x,
                curve.y,
                color=COLORS[order],
                linewidth=1.5,
                label=label,
                drawstyle=style,
                zorder=3 - order / len(lowest),  # the lowest on top
            )
        finish(axes)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), aspect="equal")
        axes.grid()
        axes.set_axisbelow(True)
        axes.set_title(plain(head.name), fontsize=10)
        _tell(axes, number, len(there), len(lowest))

    return drawn(draw, (7.6, 5.2), settings=_SETTINGS)


def _tell(axes: "Axes", number: str, drawn: int, colored: int) -> None:
    """Say which curve is whose."""
    if not drawn:
        axes.text(0.5, 0.5, "undefined: no class is true of some samples only", ha="center")
        return
    rest = drawn - colored
    title = f"{number}, lowest first" + (f"\n({rest} higher ones in grey)" if rest else "")
    axes.legend(
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        frameon=False,
        fontsize=9,
        title_fontsize=9,
        alignment="left",
    )


def _name_cells(axes: "Axes", class_names: Sequence[str]) -> None:
    count = len(class_names)
    if count > _NAMED:
        axes.set_title(f"{count} classes, in the order of per_class.csv", fontsize=10)
        return
    names, size = [plain(name, 24) for name in class_names], 9 if count <= 20 else 7
    axes.set_xticks(range(count), names, rotation=90, fontsize=size)
    axes.set_yticks(range(count), names, fontsize=size)


def _write_counts(axes: "Axes", counts: Indices, strength: Doubles) -> None:
    size = 9 if len(counts) <= 20 else 6
    for row, column in np.argwhere(counts).tolist():
        color = "white" if strength[row, column] > 0.5 else _INK
        text = f"{counts[row, column]}"
        axes.text(column, row, text, color=color, ha="center", va="center", fontsize=size)


def _known(value: float, otherwise: float = -1) -> float:
    return otherwise if np.isnan(value) else value
