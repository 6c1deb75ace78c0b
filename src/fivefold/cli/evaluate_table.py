"""What an evaluation says on a terminal of 80 columns."""

import math
from collections.abc import Collection, Iterator, Mapping

from fivefold.cli.console import say, show, show_table
from fivefold.core.digits import few_digits
from fivefold.evaluation.assessment import Assessment, ClassScores, Estimate, HeadAssessment

_AGAIN = {"micro_precision", "micro_recall", "micro_f1", "weighted_recall", "macro_recall"}
"""Of a head of one answer these are accuracy and balanced accuracy again."""
_AT_THRESHOLDS = (
    "exact_match",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "micro_f1",
    "matthews_corrcoef",
)
_NARROW = 0.02  # an interval that a fourth decimal tells more of
_NAME_ROOM = 17
_TITLES = {"out-of-fold": "out of\nfold", "holdout": "hold-\nout"}


def show_evaluation(assessments: Mapping[str, Assessment], *, is_narrow: bool) -> None:
    """Put out numbers with intervals, then each class, the best first; then what is undefined.

    Args:
        assessments: What of to how good it is; the classes are those of the first.
        is_narrow: Whether long names of classes are to be cut.
    """
    first = next(iter(assessments.values()))
    for number, head in enumerate(first.heads):
        title = f"{head.name}: " if head.name else ""
        show(f"{title}{', '.join(_of_what(name, one) for name, one in assessments.items())}\n")
        _show_headline({name: one.heads[number] for name, one in assessments.items()}, first)
        show("")
        _show_classes(head, is_narrow=is_narrow)
        show("")
    for name, assessment in assessments.items():
        for line in _remarks(assessment):
            say(f"{name}: {line}" if len(assessments) > 1 else line)


def show_at_thresholds(assessments: Mapping[str, Assessment]) -> None:
    """Put out what answers at chosen thresholds come to.

    Args:
        assessments: What of to how good it is; out of fold by thresholds of the other folds.
    """
    own = "; out of fold chosen on the other folds" if "out-of-fold" in assessments else ""
    first = next(iter(assessments.values()))
    for number, head in enumerate(first.heads):
        title = f"{head.name}: " if head.name else ""
        show(f"{title}at the thresholds of the config{own}\n")
        heads = {name: one.heads[number] for name, one in assessments.items()}
        _show_headline(heads, first, _AT_THRESHOLDS)
        show("")


def _of_what(name: str, assessment: Assessment) -> str:
    return f"{name} {assessment.samples:,} samples"


def _new(assessment: Assessment) -> str:
    """Call samples new, unless the models were trained on them."""
    if not assessment.trained_on:
        return "new"
    return "trained\non" if assessment.trained_on == assessment.samples else "partly\nnew"


def _show_headline(
    heads: Mapping[str, HeadAssessment], first: Assessment, only: Collection[str] = ()
) -> None:
    """Put out a table of metrics; of `only` some, if any are named."""
    by_fold = len(first.folds) > 1
    header, rows = ["metric"], []
    for number, name in enumerate(heads):
        # In two lines, so that both fit 80 columns.
        title = _TITLES.get(name) or _new(first)
        header += [title, "95 %"] + (["±\nfolds"] if by_fold and number == 0 else [])
    main = next(iter(heads.values()))
    for metric in main.headline:
        if (main.exclusive and metric in _AGAIN) or (only and metric not in only):
            continue
        row = [metric]
        for number, head in enumerate(heads.values()):
            found = head.headline.get(metric, Estimate(math.nan))
            row += [_number(found.value), _interval(found)]
            row += [_number(found.std_over_folds, "-")] if by_fold and number == 0 else []
        rows.append(row)
    show_table(header, rows)


def _show_classes(head: HeadAssessment, *, is_narrow: bool) -> None:
    header = ["class", "samples", "prec.", "recall", "F1", "95 %", "AUC"]
    order = sorted(head.classes, key=lambda own: -_or_last(own.f1.value))
    show_table(header, [_class_row(own, is_narrow=is_narrow) for own in order])


def _class_row(own: ClassScores, *, is_narrow: bool) -> list[str]:
    name = own.name
    if is_narrow and len(name) > _NAME_ROOM:
        name = f"{name[: _NAME_ROOM - 1]}…"
    numbers = (own.precision, own.recall, own.f1)
    cells = [_number(found.value, "-") for found in numbers]
    return [name, str(own.support), *cells, _interval(own.f1), _number(own.roc_auc.value, "-")]


def _remarks(assessment: Assessment) -> Iterator[str]:
    """Say what is undefined or leaves something out, each reason once."""
    yield from assessment.notes
    for head in assessment.heads:
        reasons: dict[str, list[str]] = {}
        for metric, found in head.headline.items():
            if found.why and not (head.exclusive and metric in _AGAIN):
                reasons.setdefault(found.why, []).append(metric)
        title = f"{head.name}: " if head.name else ""
        for why, metrics in reasons.items():
            yield f"{title}{', '.join(metrics)}: {why}"


def _number(value: float, otherwise: str = "undefined") -> str:
    return otherwise if math.isnan(value) else few_digits(value)


def _interval(found: Estimate) -> str:
    if math.isnan(found.low):
        return "-"
    if max(abs(found.low), abs(found.high)) >= 10:
        return f"{found.low:.3g}..{found.high:.3g}"
    digits = 4 if found.high - found.low < _NARROW else 3
    return f"{found.low:.{digits}f}..{found.high:.{digits}f}"


def _or_last(value: float) -> float:
    return -1 if math.isnan(value) else value
