"""The page: one HTML file that needs nothing but itself."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fivefold.apps.report.curves import columns_to_show, draw_curves
from fivefold.apps.report.embedded import sheet_url, thumbnails
from fivefold.apps.report.facts import all_warnings, data_facts, duration, environment
from fivefold.apps.report.figures import drawn, fold_color, inline_svg
from fivefold.apps.report.gather import Gathered, Spread, gather
from fivefold.apps.report.matrices import class_rows, confusion, worst_mistakes
from fivefold.apps.report.weakest import weakest_class
from fivefold.core.durable import write_text
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions
from fivefold.engine.examples import mistake_confidence

_TEMPLATE = "template.html"
_ACCURACY = "accuracy"


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
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(number=_number, metric=_metric_name)
    pictures = {fold: _pictures(found, fold) for fold in found.examples}  # may add notes
    heads, mistakes, wrong, weakest = [], [], None, ""
    if found.predictions is not None and found.predictions.targets is not None:
        heads = [_head(part) for part in found.predictions.by_head()]
        mistakes = worst_mistakes(found.predictions)
        weakest = weakest_class(found.predictions)
        wrong = int((mistake_confidence(found.predictions) > 0).sum())
    return templates.get_template(_TEMPLATE).render(
        found=found,
        verdict=_verdict(found),
        weakest=weakest,
        tables=[_grouped(table, found.primary_metric) for table in found.stages],
        curves=_curves(found),
        fold_color=fold_color,
        heads=heads,
        mistakes=mistakes,
        thumbnails=thumbnails(found.root, found.audit, [m.sample_id for m in mistakes]),
        wrong=wrong,
        pictures={fold: images for fold, images in pictures.items() if images},
        data=data_facts(found.audit),
        facts=environment(found.manifest),
        duration=duration(found.manifest),
        warnings=all_warnings(found.audit, found.manifest),
    )


def _number(value: float) -> str:
    """Write a metric: four decimals for what lies in 0-1, as many digits for what does not."""
    if value != 0 and abs(value) < 0.0001:
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
    count = len(_measured(found))
    folds = f"over {count} folds" if count > 1 else "in one fold"
    folds += " so far" if found.so_far else ""
    spread = _of(found.stages[-1], found.primary_metric)
    if spread is None:
        return f"Measured {folds}; the primary metric is not known."
    metric = _metric_name(found.primary_metric.removeprefix("val_"))
    deviation = f" ± {spread['std']:.3f}" if count > 1 else ""
    sentence = f"{metric[:1].upper()}{metric[1:]} {spread['mean']:.3f}{deviation} {folds}"
    for name, table in (("out-of-fold", found.oof), ("holdout", found.holdout)):
        value = _of(table, found.primary_metric)
        sentence += "" if value is None else f"; {name} {value:.3f}"
    return f"{sentence}{_accuracy_beside(found)}."


def _accuracy_beside(found: Gathered) -> str:
    """Say the accuracy too where something else decides, which tells people less."""
    measured = _of(found.stages[-1], _ACCURACY)
    if found.primary_metric.removeprefix("val_") != "loss" or measured is None:
        return ""
    return f"; {_ACCURACY} {measured['mean']:.3f}"


def _measured(found: Gathered) -> set[int]:
    """Say which folds the last stage's numbers are of."""
    if not found.so_far and found.folds:
        return set(found.folds)
    last = max((stage for _, stage in found.histories), default=0)
    return {fold for (fold, stage), rows in found.histories.items() if stage == last and rows}


def _grouped(table: Mapping[str, Spread], primary: str) -> dict[str, dict[str, Spread]]:
    """Part metrics by the samples that they are of; the one that decides comes first."""
    bare = primary.removeprefix("val_")
    names = sorted(table, key=lambda name: (name.removeprefix("val_") != bare, name))
    validation = {n.removeprefix("val_"): table[n] for n in names if n.startswith("val_")}
    training = {n: table[n] for n in names if not n.startswith("val_")}
    groups = {"validation": validation, "training": training}
    return {samples: rows for samples, rows in groups.items() if rows}


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
        found.attempt(what.format(path.name, fold), partial(sheet_url, path), "") for path in paths
    ]
    return [url for url in urls if url]
