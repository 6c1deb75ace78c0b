"""The comparison as one HTML file that needs nothing but itself."""

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fivefold.apps.compare.axes import Axis, axis_of_key, axis_of_metric
from fivefold.apps.compare.comparison import Comparison
from fivefold.apps.compare.differences import Judged
from fivefold.apps.compare.ordering import COUNTED, direction_of, titled
from fivefold.apps.compare.writing import shown
from fivefold.core.durable import write_text
from fivefold.core.safe_html import escaped, json_island, policy, theme_script

_HERE = Path(__file__).parent
_SHOWN = ("finished", "unfinished")
_MOST_METRICS = 5
_DASH = "\N{EN DASH}"


def write_page(found: Comparison, path: Path) -> None:
    """Write the page.

    Args:
        found: What was compared.
        path: The HTML file, which is replaced.

    Raises:
        ResourceError: If it cannot be written.
    """
    write_text(path, render(found))


def render(found: Comparison) -> str:
    """Turn a comparison into HTML; the same comparison gives the same text."""
    # Safe: files of ours, in which no name of the data is ever put.
    style, own = (Markup((_HERE / "static" / name).read_text("utf-8")) for name in _FILES)
    script = Markup("\n").join((theme_script(), own))
    numbers = [i for i, one in enumerate(found.experiments) if one.status in _SHOWN]
    finished = [i for i in numbers if found.experiments[i].status == "finished"]
    axes = _axes(found, finished)
    html = (
        _templates()
        .get_template("compare.html")
        .render(
            found=found,
            rows=[_row(found, i) for i in numbers],
            metrics=_by_interest(found),
            has_differences=bool(found.differences.sentence()),
            has_samples=any(one.by_sample for one in found.differences.judged),
            others=[one for one in found.experiments if one.status not in _SHOWN],
            has_chart=len(axes) > 1 and len(finished) > 1,
            style=style,
            script=script,
            policy=policy(style, script),
            data=json_island(_island(found, finished, axes)),
        )
    )
    # What the template wrote is clean; a half of a character would stop the file from being text.
    return html.encode("utf-8", "backslashreplace").decode()


_FILES = ("compare.css", "compare.js")


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    templates.filters.update(titled=titled, number=_number, signed=_signed, p=_p_value, value=shown)
    return templates


def _finalized(value: object) -> object:
    """Let no control character of a name or a config through."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaped(str(value)) if is_text else value


def _row(found: Comparison, number: int) -> dict[str, Any]:
    one, differences = found.experiments[number], found.differences
    judged = differences.judged[number] if differences.judged else Judged()
    return {
        "one": one,
        "judged": judged,
        "style": judged.verdict.replace(" ", "-"),
        "spread": one.metrics.get(differences.metric, {}),
        "values": [values[number] for values in found.parameters.values()],
        "best": {name for name, positions in found.best.items() if number in positions},
        "picture": _interval_picture(found, judged),
    }


def _interval_picture(found: Comparison, judged: Judged) -> Markup:
    """Draw an interval on the scale of all, 0 in the middle; nothing where there is none."""
    ends = [
        abs(end)
        for one in found.differences.judged
        if one.difference.has_interval
        for end in (one.difference.low, one.difference.high)
    ]
    if not judged.difference.has_interval:
        return Markup()
    reach = max(ends) or 1.0
    low, mean, high = (
        f"{80 + 75 * value / reach:.1f}"
        for value in (judged.difference.low, judged.difference.mean, judged.difference.high)
    )
    # Safe: numbers of ours.
    return Markup(
        '<svg class="strip" viewBox="0 0 160 16" aria-hidden="true">'
        f'<path class="rail" d="M0 8H160"/><path class="zero" d="M80 1V15"/>'
        f'<path class="range" d="M{low} 8H{high}"/>'
        f'<circle cx="{mean}" cy="8" r="3.4"/></svg>'
    )


def _axes(found: Comparison, numbers: list[int]) -> list[Axis]:
    """Make the axes: keys, then metrics of validation, that which was compared at the end."""
    keys = zip(found.titles(), found.parameters.values(), strict=True)
    axes = [axis_of_key(title, [values[i] for i in numbers]) for title, values in keys]
    axes = [axis for axis in axes if len(set(axis.texts)) > 1]
    last = found.differences.metric or found.sorted_by
    names = [name for name in found.metrics if name.startswith("val_") and name != last]
    names = [*names[: _MOST_METRICS - 1], *([last] if last in found.metrics else [])]
    for name in names or [name for name in found.metrics if name not in COUNTED][:_MOST_METRICS]:
        spreads = [found.experiments[i].metrics.get(name, {}) for i in numbers]
        means = [spread.get("mean", math.nan) for spread in spreads]
        axes.append(axis_of_metric(titled(name), means, direction_of(found.experiments, name)))
    return axes


def _by_interest(found: Comparison) -> list[str]:
    """Sort metrics: what was compared, those of validation, totals, those of training."""
    first = found.differences.metric
    names = [name for name in found.metrics if name not in COUNTED]
    return sorted(names, key=lambda name: (name != first, *_rank(name)))


def _rank(name: str) -> tuple[bool, bool]:
    return not name.startswith("val_"), titled(name) != name


def _island(found: Comparison, numbers: list[int], axes: list[Axis]) -> dict[str, Any]:
    judged = found.differences.judged
    return {
        "names": [escaped(found.experiments[i].path) for i in numbers],
        "styles": [judged[i].verdict.replace(" ", "-") if judged else "" for i in numbers],
        "axes": [
            {
                "title": escaped(axis.title),
                "metric": axis.is_metric,
                "places": [round(place, 5) for place in axis.places],
                "texts": [escaped(text) for text in axis.texts],
                "ticks": [[round(place, 5), escaped(text)] for place, text in axis.ticks],
            }
            for axis in axes
        ],
    }


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return _DASH
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def _signed(value: float) -> str:
    if math.isnan(value):
        return _DASH
    return f"{value:+.4f}" if abs(value) >= 0.001 or value == 0 else f"{value:+.2g}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return _DASH
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
