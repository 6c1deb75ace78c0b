"""Line charts as SVG: colours come from the page, so they follow its light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 440, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 26, 34
_POINT = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.2"/>')
_WHISKER = Markup('<path class="whisker" d="M{:.1f} {:.1f}V{:.1f}"/>')
_MOST_POINTS = 40  # dots on a line; more run into each other
_STEPS = (1, 2, 2.5, 5, 10)
_LARGEST = 1e30  # what is larger, a diverged loss, would leave nothing else to be seen


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What a reader of its values sees, such as "fold 0"; lines of one name belong together.
        style: Classes of the page's style sheet, such as "f0".
        points: x and y; what is NaN or beyond all measure becomes a gap.
        part: Which of the lines of one name it is, such as "training".
        dotted: Whether the points are marked.
        whiskers: x, lower and upper end of vertical lines that say how sure a point is.
    """

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    part: str = ""
    dotted: bool = True
    whiskers: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Axis:
    """What is along one side.

    Attributes:
        label: In words.
        low: Where it begins.
        high: Where it ends.
        whole: Whether only whole numbers are marked.
    """

    label: str
    low: float
    high: float
    whole: bool = False

    def ticks(self, count: int) -> list[float]:
        """Choose about `count` round numbers in its range."""
        span = self.high - self.low
        rough = span / count
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * s for s in _STEPS if power * s >= rough * 0.999)
        if self.whole:
            step = max(1.0, float(math.ceil(step)))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


def span_of(values: Sequence[float], *, around: float = 0.05) -> tuple[float, float]:
    """Find a range that shows all values that can be drawn, with a little room."""
    drawn = [value for value in values if abs(value) < _LARGEST]
    low, high = (min(drawn), max(drawn)) if drawn else (0.0, 1.0)
    room = (high - low) * around or max(abs(high), 1e-3) * around  # equal ones have no range
    return low - room, high + room


def line_chart(
    lines: Sequence[Line], x: Axis, y: Axis, label: str, marks: Sequence[tuple[float, str]] = ()
) -> Markup:
    """Draw lines.

    Args:
        lines: What is drawn, the last on top.
        x: The horizontal axis.
        y: The vertical axis.
        label: What a screen reader says.
        marks: Places on the horizontal axis with words, such as where a stage begins.
    """
    frame = _Frame(x, y)
    parts = [frame.grid(), *(frame.mark(at, words) for at, words in marks)]
    parts += [frame.line(line) for line in lines]
    svg = Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" tabindex="0" '
        'data-label="{}" data-plot="{} {} {} {}" data-x="{} {}" data-y="{} {}" data-whole="{}">'
        "{}</svg>"
    )
    plot = (_LEFT, _TOP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM)
    values = (x.low, x.high, y.low, y.high, int(x.whole))
    return svg.format(_WIDTH, _HEIGHT, label, x.label, *plot, *values, Markup("").join(parts))


@dataclass(frozen=True)
class Dots:
    """Points of one kind.

    Attributes:
        name: What they are.
        style: Classes of the page's style sheet, such as "f0".
        points: x, y and what is said of each.
    """

    name: str
    style: str
    points: Sequence[tuple[float, float, str]]


def dot_chart(kinds: Sequence[Dots], x: Axis, y: Axis, label: str) -> Markup:
    """Draw points.

    Args:
        kinds: What is drawn, the last on top.
        x: The horizontal axis.
        y: The vertical axis.
        label: What a screen reader says.
    """
    frame = _Frame(x, y)
    parts = [frame.grid(), *(frame.dots(kind) for kind in kinds)]
    return _drawing(label, parts)


def bar_chart(counts: Sequence[int], x: Axis, y: Axis, label: str) -> Markup:
    """Draw how often values fall into parts of the horizontal axis, all as wide.

    Args:
        counts: From left to right, over the whole axis.
        x: The horizontal axis.
        y: The vertical axis, from 0.
        label: What a screen reader says.
    """
    frame = _Frame(x, y)
    width = (x.high - x.low) / max(len(counts), 1)
    bars = [frame.bar(x.low + i * width, width, count) for i, count in enumerate(counts)]
    return _drawing(label, [frame.grid(), Markup('<g class="bars">'), *bars, Markup("</g>")])


def _drawing(label: str, parts: Sequence[Markup]) -> Markup:
    svg = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return svg.format(_WIDTH, _HEIGHT, label, Markup("").join(parts))


class _Frame:
    """From values to places in the picture."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self.x, self.y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        right = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + right * width, _TOP + (1 - up) * height

    def grid(self) -> Markup:
        parts = []
        for value in self.y.ticks(5):
            _, down = self.place(self.x.low, value)
            parts.append(
                Markup('<path class="rule" d="M{} {:.1f}H{}"/>').format(
                    _LEFT, down, _WIDTH - _RIGHT
                )
            )
            parts.append(
                Markup('<text x="{}" y="{:.1f}" class="end">{}</text>').format(
                    _LEFT - 7, down + 4, _written(value)
                )
            )
        for value in self.x.ticks(8):
            right, _ = self.place(value, self.y.low)
            parts.append(
                Markup('<text x="{:.1f}" y="{}" class="mid">{}</text>').format(
                    right, _HEIGHT - _BOTTOM + 16, _written(value)
                )
            )
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        parts.append(
            Markup('<text x="{}" y="{}" class="mid soft">{}</text>').format(
                middle, _HEIGHT - 2, self.x.label
            )
        )
        if self.y.label:
            parts.append(Markup('<text x="0" y="11" class="soft">{}</text>').format(self.y.label))
        return Markup("").join(parts)

    def mark(self, at: float, words: str) -> Markup:
        right, _ = self.place(at, self.y.low)
        rule = Markup('<path class="rule strong" d="M{:.1f} {}V{}"/>').format(
            right, _TOP - 8, _HEIGHT - _BOTTOM
        )
        text = Markup('<text x="{:.1f}" y="{}" class="soft">{}</text>')
        at_edge = at <= self.x.low
        return Markup("").join(
            [
                Markup("") if at_edge else rule,
                text.format(right + (0 if at_edge else 5), _TOP - 10, words),
            ]
        )

    def dots(self, kind: Dots) -> Markup:
        circle = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>')
        circles = [circle.format(*self.place(x, y), told) for x, y, told in kind.points]
        group = Markup('<g class="dots {}">{}</g>')
        return group.format(kind.style, Markup("").join(circles))

    def bar(self, left: float, width: float, count: int) -> Markup:
        (start, bottom), (end, top) = self.place(left, 0), self.place(left + width, count)
        rect = Markup(
            '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title>'
        )
        told = f"{left:.2f} to {left + width:.2f}: {count:,}"
        return rect.format(start + 0.5, top, end - start - 1, bottom - top, told) + Markup(
            "</rect>"
        )

    def line(self, line: Line) -> Markup:
        runs: list[list[tuple[float, float]]] = [[]]
        for x, y in line.points:
            if abs(y) < _LARGEST:  # not NaN either
                runs[-1].append(self.place(x, y))
            elif runs[-1]:
                runs.append([])
        path = "".join(
            "M" + "L".join(f"{right:.1f} {down:.2f}" for right, down in run) for run in runs if run
        )
        places = [place for run in runs for place in run]
        dots = places if line.dotted and len(places) <= _MOST_POINTS else []
        if len(places) == 1:  # a line of one point has no length
            dots = places
        marked = Markup("").join(_POINT.format(*place) for place in dots)
        for x, low, high in line.whiskers:
            (right, bottom), (_, top) = self.place(x, low), self.place(x, high)
            marked += _WHISKER.format(right, bottom, top)
        group = Markup('<g class="line {}" data-name="{}" data-part="{}"><path d="{}"/>{}</g>')
        return group.format(line.style, line.name, line.part, path, marked)


def _written(value: float) -> str:
    return f"{value:.6g}"
