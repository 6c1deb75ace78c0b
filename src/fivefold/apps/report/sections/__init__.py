"""The sections of the page, one module each, in the page's order."""

from collections.abc import Callable, Iterable

from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.sections import (
    calibration,
    config,
    confusions,
    curves,
    data,
    environment,
    examples,
    masks,
    metrics,
    mistakes,
    suspects,
    time,
    warnings,
)

ALL: tuple[Callable[[Material], Iterable[Section]], ...] = (
    metrics.sections,
    masks.sections,
    curves.sections,
    confusions.sections,
    mistakes.sections,
    suspects.sections,
    calibration.sections,
    examples.sections,
    data.sections,
    time.sections,
    warnings.sections,
    config.sections,
    environment.sections,
)
