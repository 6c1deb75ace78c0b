"""What an evaluation of masks says on a terminal of 80 columns."""

import math
from collections.abc import Collection, Iterator, Mapping

from fivefold.cli.console import say, show, show_table
from fivefold.core.digits import few_digits
from fivefold.evaluation.estimates import Estimate
from fivefold.evaluation.mask_assessment import EMPTY_RULE, ClassMasks, MaskAssessment
from fivefold.evaluation.mask_tally import SHARES
from fivefold.evaluation.mask_weak_points import weak_points

_HEADLINE = (*SHARES, "log_loss")
_NARROW = 0.02  # an interval that a fourth decimal tells more of
_NAME_ROOM = 15
_TITLES = {"out-of-fold": "out of\nfold", "holdout": "hold-\nout"}


def show_masks(assessments: Mapping[str, MaskAssessment], *, is_narrow: bool) -> None:
    """Put out numbers with intervals, then each class, the best first; then what is undefined.

    Args:
        assessments: What of to how good it is; the classes are those of the first.
        is_narrow: Whether long names of classes are to be cut.
    """
    first = next(iter(assessments.values()))
    show(f"{', '.join(_of_what(name, one) for name, one in assessments.items())}\n")
    _show_headline(assessments, _HEADLINE)
    show("")
    _show_classes(first, is_narrow=is_narrow)
    show("")
    _show_presence(first, is_narrow=is_narrow)
    show("")
    say(f"empty masks: {EMPTY_RULE}")
    for name, assessment in assessments.items():
        for line in (*weak_points(assessment), *_remarks(assessment)):
            say(f"{name}: {line}" if len(assessments) > 1 else line)


def show_masks_at_cuts(assessments: Mapping[str, MaskAssessment]) -> None:
    """Put out what masks come to with the thresholds and smallest parts of the config.

    Args:
        assessments: What of to how good it is; out of fold by what the other folds have chosen.
    """
    own = "; out of fold chosen on the other folds" if "out-of-fold" in assessments else ""
    show(f"with the config's thresholds and parts{own}\n")
    _show_headline(assessments, SHARES)
    show("")


def _of_what(name: str, assessment: MaskAssessment) -> str:
    return f"{name} {assessment.samples:,} images"


def _show_headline(assessments: Mapping[str, MaskAssessment], only: Collection[str]) -> None:
    main = next(iter(assessments.values()))
    by_fold = len(main.folds) > 1
    header = ["metric"]
    for number, name in enumerate(assessments):
        # In two lines, so that both fit 80 columns.
        header += [_TITLES.get(name) or _new(main), "95 %"]
        header += ["±\nfolds"] if by_fold and number == 0 else []
    rows = []
    for metric in [name for name in _HEADLINE if name in main.headline and name in only]:
        row = [metric]
        for number, one in enumerate(assessments.values()):
            found = one.headline.get(metric, Estimate(math.nan))
            row += [_number(found.value), _interval(found)]
            row += [_number(found.std_over_folds, "-")] if by_fold and number == 0 else []
        rows.append(row)
    show_table(header, rows)


def _new(assessment: MaskAssessment) -> str:
    """Call images new, unless the models were trained on them."""
    if not assessment.trained_on:
        return "new"
    return "trained\non" if assessment.trained_on == assessment.samples else "partly\nnew"


def _show_classes(assessment: MaskAssessment, *, is_narrow: bool) -> None:
    names = ("iou", "dice", "precision", "recall")
    header = ["class", "pixels", "IoU", "95 %", "dice", "prec.", "recall"]
    rows = []
    for own in _best_first(assessment):
        iou, dice, precision, recall = (own.numbers[name] for name in names)
        cells = [_number(iou.value, "-"), _interval(iou)]
        cells += [_number(found.value, "-") for found in (dice, precision, recall)]
        share = own.pixels / assessment.pixels if assessment.pixels else math.nan
        rows.append([_named(own, is_narrow=is_narrow), _percent(share), *cells])
    show_table(header, rows)


def _show_presence(assessment: MaskAssessment, *, is_narrow: bool) -> None:
    header = [
        "class",
        "images\nwith it",
        "found",
        "images\nwithout",
        "left\nwithout",
        "image\ndice",
    ]
    header += ["95 %"]
    rows = []
    for own in _best_first(assessment):
        dice = own.numbers["image_dice"]
        counts = [f"{n:,}" for n in (own.images, own.found, own.without, own.quiet)]
        name = _named(own, is_narrow=is_narrow)
        rows.append([name, *counts, _number(dice.value, "-"), _interval(dice)])
    show_table(header, rows)


def _best_first(assessment: MaskAssessment) -> list[ClassMasks]:
    def place(own: ClassMasks) -> float:
        value = own.numbers["iou"].value
        return 1 if math.isnan(value) else -value

    return sorted(assessment.classes, key=place)


def _named(own: ClassMasks, *, is_narrow: bool) -> str:
    if is_narrow and len(own.name) > _NAME_ROOM:
        return f"{own.name[: _NAME_ROOM - 1]}…"
    return own.name


def _remarks(assessment: MaskAssessment) -> Iterator[str]:
    """Say what is undefined or leaves something out, each reason once."""
    yield from assessment.notes
    reasons: dict[str, list[str]] = {}
    for metric, found in assessment.headline.items():
        if found.why and metric in _HEADLINE:
            reasons.setdefault(found.why, []).append(metric)
    for why, metrics in reasons.items():
        yield f"{', '.join(metrics)}: {why}"


def _number(value: float, otherwise: str = "undefined") -> str:
    return otherwise if math.isnan(value) else few_digits(value)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def _interval(found: Estimate) -> str:
    if math.isnan(found.low):
        return "-"
    if max(abs(found.low), abs(found.high)) >= 10:
        return f"{found.low:.3g}..{found.high:.3g}"
    digits = 4 if found.high - found.low < _NARROW else 3
    return f"{found.low:.{digits}f}..{found.high:.{digits}f}"
