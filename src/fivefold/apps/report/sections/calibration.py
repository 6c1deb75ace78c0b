"""Calibration: is the model right as often as it says."""

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from fivefold.apps.report.charts import Axis, Line, line_chart
from fivefold.apps.report.section import Material, Section
from fivefold.evaluation.calibration import Calibration, HeadCalibration


def sections(material: Material) -> Iterator[Section]:
    """Draw each head's reliability before and after temperature scaling."""
    report = material.analysis.calibration
    if report is None:
        return
    heads = [_values(head) for head in report.heads]
    yield Section(
        "calibration",
        "Calibration",
        "calibration.html",
        {"heads": heads, "decisions": material.found.decisions},
    )


def _values(head: HeadCalibration) -> dict[str, Any]:
    rows = [("raw", head.before)]
    rows += [] if head.after is None else [("scaled", head.after)]
    return {"head": head, "sentence": head.verdict, "rows": rows, "chart": _chart(head)}


def _chart(head: HeadCalibration) -> Markup:
    lines = [Line("ideal", "ideal", [(0, 0), (1, 1)], dotted=False)]
    if head.after is not None:
        lines.append(_line("scaled", "softly", head.after))
    lines.append(_line("raw", "accent", head.before))
    x, y = Axis("confidence", 0, 1), Axis("share that is right", 0, 1)
    return line_chart(lines, x, y, "how often answers are right, by their confidence")


def _line(name: str, style: str, found: Calibration) -> Line:
    bins = [each for each in found.bins if each.count]
    whiskers = [(each.confidence, *each.interval) for each in bins]
    return Line(name, style, [(each.confidence, each.right) for each in bins], whiskers=whiskers)
