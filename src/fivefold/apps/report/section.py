"""What a section of the page is made from, and what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fivefold.apps.report.album import Album
from fivefold.apps.report.analysis import Analysis
from fivefold.apps.report.cells import Cell
from fivefold.apps.report.embedded import Thumbnails
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.matrices import Matrix
from fivefold.core.predictions import Predictions


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Attributes:
        anchor: Its place on the page: letters and dashes, different for each section.
        title: Its heading.
        template: The file below `templates/`.
        values: What the template needs.
        short: What the table of contents says; the title if empty.
    """

    anchor: str
    title: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    short: str = ""


@dataclass(frozen=True)
class Material:
    """What sections are made from.

    Attributes:
        found: What the run folder holds.
        heads: Out-of-fold predictions with truth, one for each head; none where there are none.
        matrices: What is taken for what by each; None where several labels may be true.
        cells: The samples behind the counts of each.
        analysis: What is computed from them.
        album: Takes wishes for pictures; has them when the templates are filled.
        thumbnails: Reads images of samples.
    """

    found: Gathered
    heads: tuple[Predictions, ...]
    matrices: tuple[Matrix | None, ...]
    cells: tuple[Mapping[str, Cell], ...]
    analysis: Analysis
    album: Album
    thumbnails: Thumbnails
