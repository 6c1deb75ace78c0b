"""Metrics: of all out-of-fold predictions, and their spread over folds in each stage."""

from collections.abc import Iterator, Mapping

from fivefold.apps.report.gather import Spread
from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """Show a table of each stage; nothing before anything is measured."""
    found = material.found
    tables = [_grouped(table, found.primary_metric) for table in found.stages]
    if tables:
        yield Section("metrics", "Metrics", "metrics.html", {"tables": tables})


def _grouped(table: Mapping[str, Spread], primary: str) -> dict[str, dict[str, Spread]]:
    """Part metrics by the samples that they are of; the one that decides comes first."""
    bare = primary.removeprefix("val_")
    names = sorted(table, key=lambda name: (name.removeprefix("val_") != bare, name))
    validation = {n.removeprefix("val_"): table[n] for n in names if n.startswith("val_")}
    training = {n: table[n] for n in names if not n.startswith("val_")}
    groups = {"validation": validation, "training": training}
    return {samples: rows for samples, rows in groups.items() if rows}
