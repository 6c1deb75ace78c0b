"""An assessment as tables for spreadsheets."""

import math

from fivefold.evaluation.assessment import Assessment, Estimate, HeadAssessment
from fivefold.evaluation.estimates import PER_CLASS


def class_rows(assessment: Assessment) -> list[list[str]]:
    """List all classes with their numbers, a header first.

    Columns: `head` where there are several, `class`, `samples`, `answered`, and for precision,
    recall, f1, roc_auc and average_precision the number, `_low`, `_high` and `_std_over_folds`.
    What is undefined is an empty cell.
    """
    several = len(assessment.heads) > 1
    ends = ("", "_low", "_high", "_std_over_folds")
    numbers = [f"{name}{end}" for name in PER_CLASS for end in ends]
    rows = [[*(["head"] if several else []), "class", "samples", "answered", *numbers]]
    for head in assessment.heads:
        for scores in head.classes:
            cells = [cell for name in PER_CLASS for cell in _cells(getattr(scores, name))]
            about = [scores.name, str(scores.support), str(scores.predicted)]
            rows.append([*([head.name] if several else []), *about, *cells])
    return rows


def confusion_rows(head: HeadAssessment) -> list[list[str]]:
    """List how many samples of each true class (row) were answered with each class (column).

    Of a sigmoid head each class has a row of its own: true and answered or not.
    """
    counts = head.confusion.tolist()
    if head.exclusive:
        rows = zip(head.class_names, counts, strict=True)
        header = ["true class", *head.class_names]
        return [header, *([name, *map(str, own)] for name, own in rows)]
    header = ["class", "true and answered", "true only", "answered only", "neither"]
    return [header] + [
        [name, str(both), str(missed), str(invented), str(neither)]
        for name, ((neither, invented), (missed, both)) in zip(
            head.class_names, counts, strict=True
        )
    ]


def _cells(found: Estimate) -> list[str]:
    numbers = (found.value, found.low, found.high, found.std_over_folds)
    return ["" if math.isnan(number) else f"{number:.6g}" for number in numbers]
