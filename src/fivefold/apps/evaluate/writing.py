"""The files of an evaluation: numbers as JSON and CSV, and pictures."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fivefold.apps.evaluate.masks import mask_files
from fivefold.apps.evaluate.tables import class_rows, confusion_rows
from fivefold.core.durable import write_bytes
from fivefold.evaluation.assessment import Assessment, HeadAssessment
from fivefold.evaluation.mask_assessment import MaskAssessment
from fivefold.evaluation.tables import csv_bytes

_NO_NAME = re.compile(r"[^\w.-]+")


def write_evaluation(
    directory: Path,
    assessments: Mapping[str, Assessment] | Mapping[str, MaskAssessment],
    record: Mapping[str, Any],
) -> list[Path]:
    """Write `metrics.json`, and for what was assessed first tables and pictures beside it.

    These are `per_class.csv`, `confusion.csv`, `confusion.png`, `roc.png`, `precision_recall.png`
    and `classes.png`; with several heads all but the first are once for each. Of masks there are
    `per_class.csv`, `per_image.csv`, `classes.png` and `images.png`. What else was assessed has the
    same in a folder of its name.

    Args:
        directory: It is made if need be; files of these names are replaced.
        assessments: What of to how good it is.
        record: What `metrics.json` holds.

    Returns:
        The files, in the order in which they were written.
    """
    written = [directory / "metrics.json"]
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(written[0], text.encode("utf-8", "surrogateescape"))
    names, found = [*assessments], [*assessments.values()]
    for number, (name, assessment) in enumerate(zip(names, found, strict=True)):
        place = directory if number == 0 else directory / name
        for file, data in _files(assessment):
            write_bytes(place / file, data)
            written.append(place / file)
    return written


def _files(assessment: Assessment | MaskAssessment) -> Iterator[tuple[str, bytes]]:
    if isinstance(assessment, MaskAssessment):
        yield from mask_files(assessment)
        return
    # A second of loading, which only pictures need.
    from fivefold.apps.evaluate.pictures import (  # noqa: PLC0415  see above
        draw_classes,
        draw_confusion,
        draw_pr,
        draw_roc,
    )

    yield "per_class.csv", csv_bytes(class_rows(assessment))
    for head, ending in zip(assessment.heads, _endings(assessment), strict=True):
        yield f"confusion{ending}.csv", csv_bytes(confusion_rows(head))
        yield f"confusion{ending}.png", draw_confusion(head)
        yield f"roc{ending}.png", draw_roc(head)
        yield f"precision_recall{ending}.png", draw_pr(head)
        yield f"classes{ending}.png", draw_classes(head)


def _endings(assessment: Assessment) -> list[str]:
    """Tell the files of several heads apart by their names, as far as these may be file names."""
    heads: tuple[HeadAssessment, ...] = assessment.heads
    if len(heads) == 1:
        return [""]
    plain = [_NO_NAME.sub("_", head.name) for head in heads]
    unique = len({name.casefold() for name in plain}) == len(plain)
    return [f"-{name}" if unique else f"-{i}-{name}" for i, name in enumerate(plain)]
