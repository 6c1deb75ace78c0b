"""The mistakes that the model is surest of."""

from collections.abc import Iterator

from fivefold.apps.report.matrices import worst_mistakes
from fivefold.apps.report.section import Material, Section

_SHOWN = 24


def sections(material: Material) -> Iterator[Section]:
    """Show the most confident mistakes as pictures."""
    if not material.heads or material.found.predictions is None:
        return
    mistakes = worst_mistakes(material.found.predictions, _SHOWN)
    material.album.wish([mistake.sample_id] for mistake in mistakes)
    if mistakes:
        yield Section(
            "mistakes", "Most confident mistakes", "mistakes.html", {"mistakes": mistakes}
        )
