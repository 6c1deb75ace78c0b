"""Metrics: of all out-of-fold predictions with intervals, and their spread over folds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from fivefold.apps.report.analysis import assessed_name
from fivefold.apps.report.gathered import Spread
from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.strips import Scale, strip
from fivefold.evaluation.assessment import Estimate
from fivefold.evaluation.mask_tally import SHARES

_FIRST = (
    *SHARES,
    "accuracy",
    "exact_match",
    "top_3_accuracy",
    "top_5_accuracy",
    "balanced_accuracy",
    "macro_f1",
    "roc_auc",
    "average_precision",
    "matthews_corrcoef",
    "log_loss",
    "brier",
    "hamming_loss",
)
_SMALL_IS_GOOD = frozenset({"log_loss", "brier", "hamming_loss"})
"""These have scales of their own: on that of the shares they would squeeze all others."""


@dataclass(frozen=True)
class Row:
    """One metric of a head.

    Attributes:
        metric: Its name.
        estimate: On all out-of-fold predictions.
        picture: The interval, and each fold alone.
        holdout: On the holdout; None without one.
        scale: What the ends of the picture stand for.
        decides: Whether it is the metric that decides.
    """

    metric: str
    estimate: Estimate
    picture: Markup
    holdout: Estimate | None
    scale: Scale
    decides: bool


def sections(material: Material) -> Iterator[Section]:
    """Show what is estimated, and a table of each stage; nothing before anything is measured."""
    found = material.found
    tables = [_paired(table, found.primary_metric) for table in found.stages]
    heads = _heads(material)
    if tables or heads:
        values = {
            "tables": tables,
            "heads": heads,
            "assessment": material.analysis.assessment or material.analysis.masks,
            "what": "images" if material.analysis.masks else "samples",
            "others": {} if heads else dict.fromkeys([*found.oof, *found.holdout]),
            "has_holdout": bool(material.analysis.of_holdout),
        }
        yield Section("metrics", "Metrics", "metrics.html", values)


def _heads(material: Material) -> list[tuple[str, list[Row]]]:
    names = [name for name, _ in material.analysis.headlines]
    return [(name, _rows(material, number)) for number, name in enumerate(names)]


def _rows(material: Material, number: int) -> list[Row]:
    analysis = material.analysis
    found, of_holdout = analysis.headlines[number][1], analysis.of_holdout
    held_out = of_holdout[number][1] if of_holdout else {}
    folds = [one[number][1] for one in analysis.of_each_fold]
    alone = {metric: [fold[metric].value for fold in folds if metric in fold] for metric in found}
    shared = [metric for metric in found if metric not in _SMALL_IS_GOOD]
    scale = Scale.around([value for m in shared for value in _drawn(found[m], alone[m])])
    primary = assessed_name(material.found.primary_metric, masks=analysis.masks is not None)
    rows = []
    for metric, estimate in found.items():
        own = scale if metric in shared else Scale.around(_drawn(estimate, alone[metric]))
        picture = strip(estimate, alone[metric], own)
        rows.append(Row(metric, estimate, picture, held_out.get(metric), own, metric == primary))
    return sorted(rows, key=lambda row: (not row.decides, _place(row.metric)))


def _place(metric: str) -> int:
    return _FIRST.index(metric) if metric in _FIRST else len(_FIRST)


def _drawn(estimate: Estimate, folds: list[float]) -> list[float]:
    return [estimate.value, estimate.low, estimate.high, *folds]


def _paired(table: Mapping[str, Spread], primary: str) -> dict[str, tuple[Spread, Spread]]:
    """Put validation and training beside each other; the metric that decides comes first.

    Returns:
        Metric to its spread on the validation and on the training samples; empty where it was not
        measured.
    """
    bare = primary.removeprefix("val_")
    names = {name.removeprefix("val_") for name in table}
    return {
        name: (table.get(f"val_{name}", {}), table.get(name, {}))
        for name in sorted(names, key=lambda name: (name != bare, name))
    }
