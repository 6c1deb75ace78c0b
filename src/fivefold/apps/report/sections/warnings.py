"""What the run has warned of."""

from collections.abc import Iterator

from fivefold.apps.report.facts import all_warnings
from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """List every warning once; nothing where there are none."""
    warnings = all_warnings(material.found.audit, material.found.manifest)
    if warnings:
        yield Section("warnings", "Warnings", "warnings.html", {"warnings": warnings})
