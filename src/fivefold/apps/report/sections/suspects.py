"""Labels that may be wrong."""

from collections.abc import Iterator

from fivefold.apps.report.album import SEEN
from fivefold.apps.report.section import Material, Section

_SHOWN = 12


def sections(material: Material) -> Iterator[Section]:
    """Show the worst suspects, and how many labels are likely to be wrong."""
    errors = material.analysis.label_errors
    if errors is None:
        return
    suspects = errors.suspects[:_SHOWN]
    material.album.wish(SEEN, [[suspect.sample_id] for suspect in suspects])
    values = {"errors": errors, "suspects": suspects}
    yield Section(
        "suspects", "Labels that may be wrong", "suspects.html", values, "Suspicious labels"
    )
