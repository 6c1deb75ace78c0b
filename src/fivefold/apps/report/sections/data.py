"""What became of each listed sample."""

from collections.abc import Iterator

from fivefold.apps.report.facts import data_facts, found_in_data
from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """Show what the audit counted, what is not used and why, and the folds' sizes."""
    data = data_facts(material.found.audit)
    if data["counts"] or material.found.fold_sizes:
        yield Section(
            "data",
            "Data",
            "data.html",
            {"data": data, "notes": found_in_data(material.found.manifest)},
        )
