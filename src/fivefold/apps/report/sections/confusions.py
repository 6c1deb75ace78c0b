"""What is taken for what, or how well each label is found; a section for each head."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fivefold.apps.report.album import BEHIND_COMMON, BEHIND_MISTAKES, BEHIND_RIGHT, Album
from fivefold.apps.report.cells import Cell, by_count
from fivefold.apps.report.matrices import Matrix
from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.texts import name
from fivefold.core.predictions import Predictions
from fivefold.evaluation.assessment import ClassScores, HeadAssessment

_STYLES = ((12, ""), (30, "many"), (60, "most"))
_MOST_ROWS = 20
_SEEN_AT_ONCE = 12
_AT_AN_END = 5
_COMMON, _OF_EACH = 30, 12  # confusions that are looked at first, and samples of each


def sections(material: Material) -> Iterator[Section]:
    """Show each head's matrix, or its labels, with the samples behind every count."""
    assessment = material.analysis.assessment
    classes = assessment.heads if assessment else ()
    for number, part in enumerate(material.heads):
        cells, matrix = material.cells[number], material.matrices[number]
        _wish(material.album, part, cells)
        title = "How well each label is found" if matrix is None else "What is taken for what"
        head = part.heads[0].name
        values = {
            "number": number,
            "matrix": _shown(matrix) if matrix else None,
            "rows": classes[number].classes if classes else (),
            "ends": _ends(classes[number]) if classes else (),
            "several": matrix is None,
            "missed": _counts(part, cells, "missed"),
            "invented": _counts(part, cells, "invented"),
            "most": _MOST_ROWS,
        }
        yield Section(
            f"classes-{number}",
            f"{title}: {name(head)}" if head else title,
            "confusions.html",
            values,
            short=f"Classes: {name(head)}" if head else "Classes",
        )


def _wish(album: Album, part: Predictions, cells: Mapping[str, Cell]) -> None:
    """Ask for the pictures behind all counts."""
    wrong = [[part.ids[row] for row in cell.rows] for cell in by_count(cells, mistakes=True)]
    right = [[part.ids[row] for row in cell.rows] for cell in by_count(cells, mistakes=False)]
    album.wish(BEHIND_COMMON, [ids[:_OF_EACH] for ids in wrong[:_COMMON]])
    album.wish(BEHIND_MISTAKES, wrong)
    album.wish(BEHIND_RIGHT, right)


def _ends(head: HeadAssessment) -> tuple[list[ClassScores], ...]:
    """Choose the worst and the best classes by F1; none where a look at all of them says it."""
    found = [row for row in head.classes if row.support and row.f1.is_defined]
    known = sorted(found, key=lambda row: row.f1.value)
    if len(known) <= _SEEN_AT_ONCE:
        return ()
    return known[:_AT_AN_END], known[: -_AT_AN_END - 1 : -1]


def _counts(part: Predictions, cells: Mapping[str, Cell], kind: str) -> list[int]:
    keys = [f"{kind},{k}" for k in range(part.heads[0].num_classes)]
    return [cells[key].count if key in cells else 0 for key in keys]


def _shown(matrix: Matrix) -> dict[str, Any]:
    count = len(matrix.class_names)
    style = next((style for most, style in _STYLES if count <= most), "all")
    is_short = max(map(len, matrix.class_names)) <= 3 and count <= 60
    shares = matrix.shares
    right = np.eye(count, dtype=bool)
    # What is wrong is rare, and the eye is to find it: the root lifts small shares.
    strength = np.where(right, shares, np.minimum(1.25 * np.sqrt(shares), 1))
    levels = np.clip(np.ceil(20 * strength), 1, 20).astype(int)
    return {
        "names": matrix.class_names,
        "classes": matrix.classes,
        "left_out": matrix.left_out,
        "counts": matrix.counts.tolist(),
        "levels": levels.tolist(),
        "style": f"{style}{' short' if is_short else ''}",
        "pairs": matrix.confused(12),
    }
