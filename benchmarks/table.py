"""Rows of the table: ours against the best peer, the goal and the machine's limit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

POINTS = 0.015
"""How far accuracies may lie apart before times are not comparable."""
_DEVIATIONS = 2.0


@dataclass(frozen=True)
class Goal:
    """What a row must reach.

    Attributes:
        of: Which number it is about.
        at: At most, or at least.
        bound: The number.
    """

    of: Literal["ratio", "ours"]
    at: Literal["most", "least"]
    bound: float

    def reached(self, value: float) -> bool:
        """Whether a value reaches it; NaN does not."""
        return value <= self.bound if self.at == "most" else value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.at == "most" else "≥"
        times = "×" if self.of == "ratio" else ""
        return f"{sign} {number(self.bound)}{times}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        metric: What was measured.
        unit: Of `ours`, `peer` and `limit`.
        goal: What must be reached.
        ours: NaN where it was not run.
        peer: The best peer's value; NaN without one.
        peer_name: Who that is.
        limit: What the machine would allow at best; NaN where it has no meaning.
        void: Why the row does not count, such as other accuracies.
        notes: What a reader must know.
        raw: All samples, for the lines of JSON.
    """

    metric: str
    unit: str
    goal: Goal
    ours: float = math.nan
    peer: float = math.nan
    peer_name: str = ""
    limit: float = math.nan
    void: str = ""
    notes: Sequence[str] = ()
    raw: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    @property
    def ratio(self) -> float:
        """Ours divided by the best peer's."""
        return self.ours / self.peer if self.peer else math.nan

    @property
    def verdict(self) -> str:
        """Reached, missed, void or not run."""
        value = self.ratio if self.goal.of == "ratio" else self.ours
        if math.isnan(self.ours) or math.isnan(value):
            return f"not run: {self.void}" if self.void else "not run"
        if self.void:
            return f"void: {self.void}"
        return "reached" if self.goal.reached(value) else "missed"


def allowance(accuracy: float, count: int) -> float:
    """Tell how far accuracies may lie apart: 1.5 points, or more where chance alone makes more.

    Args:
        accuracy: Of one of the two, 0-1.
        count: Of how many pictures.
    """
    if not count or math.isnan(accuracy):
        return POINTS
    return max(POINTS, _DEVIATIONS * math.sqrt(accuracy * (1 - accuracy) / count))


def best_peer(
    ours: float, peers: Mapping[str, tuple[float, float]], count: int = 0
) -> tuple[str, str]:
    """Choose whom ours is compared with.

    A peer that is less accurate by more than the allowance is not compared; one that is more
    accurate by more than that makes the row void if it is the fastest.

    Args:
        ours: Our accuracy; NaN where there is none.
        peers: Name to seconds and accuracy.
        count: Of how many pictures the accuracies are.

    Returns:
        The name of the fastest that counts, and why the row is void; each may be empty.
    """
    room = allowance(ours, count)
    counted = {
        name: (seconds, accuracy)
        for name, (seconds, accuracy) in peers.items()
        if math.isnan(ours) or math.isnan(accuracy) or accuracy >= ours - room
    }
    if not counted:
        return "", "no peer is as accurate" if peers else "no peer was run"
    name = min(counted, key=lambda peer: counted[peer][0])
    accuracy = counted[name][1]
    if accuracy > ours + room:
        return name, f"accuracy {ours:.1%} against {accuracy:.1%}"
    return name, ""


def markdown(rows: Sequence[Row]) -> str:
    """Write the table in Markdown."""
    header = ["metric", "ours", "best peer", "ratio", "goal", "limit", "verdict"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        peer = f"{number(row.peer)} ({row.peer_name})" if not math.isnan(row.peer) else "-"
        cells = [f"{row.metric}, {row.unit}", number(row.ours), peer, number(row.ratio)]
        lines.append([*cells, str(row.goal), number(row.limit), row.verdict])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plain(rows: Sequence[Row]) -> str:
    """Write the table for a terminal, its columns aligned."""
    parts = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in _body(rows)]
    widths = [max(len(cells[i]) for cells in parts) for i in range(len(parts[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in parts
    )


def number(value: float) -> str:
    """Write a number with three digits; a dash for NaN."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 or value == 0 else 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if "." in f"{value:.{digits}f}" else "0"


def _body(rows: Sequence[Row]) -> list[str]:
    lines = markdown(rows).splitlines()
    return [lines[0], *lines[2:]]
