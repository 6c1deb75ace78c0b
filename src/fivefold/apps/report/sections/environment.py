"""What the run was made with: versions, hardware, choices."""

from collections.abc import Iterator

from fivefold.apps.report.facts import environment
from fivefold.apps.report.section import Material, Section


def sections(material: Material) -> Iterator[Section]:
    """Show the manifest's facts."""
    facts = environment(material.found.manifest)
    if facts:
        yield Section("environment", "Environment", "environment.html", {"facts": facts})
