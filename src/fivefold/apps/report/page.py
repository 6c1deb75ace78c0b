"""The page: one HTML file that needs nothing but itself."""

import base64
import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image as Pillow

from fivefold.apps.report.curves import columns_to_show, draw_curves
from fivefold.apps.report.figures import drawn, fold_color, inline_svg
from fivefold.apps.report.gather import Gathered, Spread, gather
from fivefold.apps.report.matrices import class_rows, confusion, worst_mistakes
from fivefold.core.durable import write_text
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.engine.examples import mistake_confidence

_TEMPLATE = "template.html"


def write_report(folder: RunFolder) -> Path:
    """Write `report.html`: it opens from the disk, offline, and shows what there is so far.

    Args:
        folder: A run folder in any state.

    Returns:
        The page's path.

    Raises:
        ResourceError: If it cannot be written.
    """
    html = render(gather(folder))
    # An id may hold bytes that are no text; they are shown as escapes.
    write_text(folder.report_path, html.encode("utf-8", "backslashreplace").decode())
    return folder.report_path


def render(found: Gathered) -> str:
    """Turn what was gathered into HTML; the same input gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, metric=_metric_name)
    pictures = {fold: _pictures(found, fold) for fold in found.examples}  # may add notes
    heads, mistakes, wrong = [], [], None
    if found.predictions is not None and found.predictions.targets is not None:
        heads = [_head(part) for part in found.predictions.by_head()]
        mistakes = worst_mistakes(found.predictions)
        wrong = int((mistake_confidence(found.predictions) > 0).sum())
    return environment.get_template(_TEMPLATE).render(
        found=found,
        verdict=_verdict(found),
        tables=[_ordered(table, found.primary_metric) for table in found.stages],
        curves=_curves(found),
        fold_color=fold_color,
        heads=heads,
        mistakes=mistakes,
        wrong=wrong,
        pictures={fold: images for fold, images in pictures.items() if images},
        data=_data(found.audit),
        facts=_facts(found.manifest),
        warnings=_texts(found.audit.get("warnings")) + _texts(found.manifest.get("warnings")),
    )


def _number(value: float) -> str:
    """Write a metric: four decimals for what lies in 0-1, as many digits for what does not."""
    if value != 0 and abs(value) < 0.01:
        return f"{value:.2g}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.4g}"


def _metric_name(name: str) -> str:
    words = name.replace("_", " ").strip()
    for short in ("f1", "auc"):
        words = " ".join(w.upper() if w == short else w for w in words.split(" "))
    return words


def _of(table: Mapping[str, Any], metric: str) -> Any:
    """Look up a metric that one file may call `val_accuracy` and another `accuracy`."""
    bare = metric.removeprefix("val_")
    return next((table[name] for name in (metric, f"val_{bare}", bare) if name in table), None)


def _verdict(found: Gathered) -> str:
    """Say the outcome in one sentence."""
    if not found.stages:
        return "Nothing has been measured yet."
    count = len(found.folds) or len({fold for fold, _ in found.histories})
    folds = f"over {count} folds" if count > 1 else "in one fold"
    spread = _of(found.stages[-1], found.primary_metric)
    if spread is None:
        return f"Measured {folds}; the primary metric is not known."
    metric = _metric_name(found.primary_metric.removeprefix("val_"))
    deviation = f" ± {spread['std']:.3f}" if count > 1 else ""
    sentence = f"{metric[:1].upper()}{metric[1:]} {spread['mean']:.3f}{deviation} {folds}"
    for name, table in (("out-of-fold", found.oof), ("holdout", found.holdout)):
        value = _of(table, found.primary_metric)
        sentence += "" if value is None else f"; {name} {value:.3f}"
    return f"{sentence}."


def _ordered(table: Mapping[str, Spread], primary: str) -> dict[str, Spread]:
    """Put the metric that decides first, then those of the validation fold, by name."""
    bare = primary.removeprefix("val_")

    def rank(name: str) -> tuple[bool, bool, str]:
        return name.removeprefix("val_") != bare, not name.startswith("val_"), name

    return {name: table[name] for name in sorted(table, key=rank)}


def _curves(found: Gathered) -> list[tuple[str, Markup]]:
    """Draw loss and primary metric: the column's name and its SVG."""
    pictures = []
    columns = columns_to_show(found.histories, found.primary_metric)
    for i, (name, column) in enumerate(columns.items()):
        draw = partial(_draw, found=found, name=name, column=column)
        svg = inline_svg(drawn(draw, (5.4, 3.3), "svg"), f"curve{i}", "one line for each fold")
        # Safe: matplotlib wrote it, and it escapes what it draws.
        pictures.append((column, Markup(svg)))
    return pictures


def _draw(figure: Any, found: Gathered, name: str, column: str) -> None:
    draw_curves(figure.subplots(), found.histories, name, column)


def _head(part: Predictions) -> dict[str, Any]:
    rows = class_rows(part)
    return {"name": part.heads[0].name, "rows": rows, "matrix": confusion(part)}


def _pictures(found: Gathered, fold: int) -> list[str]:
    """Encode a fold's example pictures anew, so that only pixels enter the page."""
    paths = found.examples[fold]
    what = "picture {} of fold {}"
    urls = [
        found.attempt(what.format(path.name, fold), partial(_data_url, path), "") for path in paths
    ]
    return [url for url in urls if url]


def _data_url(path: Path) -> str:
    try:
        with Pillow.open(path, formats=["PNG"]) as image:
            pixels = image.convert("RGB")
    except (SyntaxError, Pillow.DecompressionBombError) as error:  # Pillow's for broken chunks
        raise ValueError(str(error)) from error
    pixels.info.clear()
    file = io.BytesIO()
    pixels.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _data(audit: Mapping[str, Any]) -> dict[str, Any]:
    """Count what the audit found: samples by status, and reasons of what is not used."""
    names = ("listed", "used", "quarantined", "excluded")
    counts = {name: audit[name] for name in names if isinstance(audit.get(name), int)}
    listed = audit.get("rows")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    unused = [row for row in rows if row.get("status") in ("quarantined", "excluded")]
    reasons: dict[str, int] = {}
    for row in unused:
        reason = str(row.get("reason") or "no reason given")
        reasons[reason] = reasons.get(reason, 0) + 1
    return {"counts": counts, "reasons": reasons, "unused": unused[:20], "num_unused": len(unused)}


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return [str(value)] if value else []


def _facts(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Sort the manifest into groups of plain facts: heading to name to value."""
    groups: dict[str, dict[str, str]] = {"run": {}}
    for key, value in manifest.items():
        if isinstance(value, dict):
            groups[key] = {name: str(item) for name, item in sorted(_flat(value).items())}
        elif key == "seconds" and isinstance(value, int | float):
            groups["run"]["duration"] = _duration(value)
        elif key != "warnings":
            groups["run"][key] = str(value)
    return {heading: facts for heading, facts in groups.items() if facts}


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else None
        flat.update(inner if inner is not None else {f"{prefix}{key}": value})
    return flat


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "less than a second"
