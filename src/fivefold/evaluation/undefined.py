"""Why a number is undefined, or what it leaves out, in words."""

from collections.abc import Mapping, Sequence

import numpy as np

from fivefold.evaluation.counting import Tally
from fivefold.evaluation.metrics import Doubles, Flags

ALL_ALIKE = "no interval: all resamples are alike"
TOO_RARE = (
    "no interval: some classes are so rare, or so rarely answered, that many resamples lack them"
)
ONE_UNIT = "no intervals: there is one sample only, or one group of them"

_ABSENT, _EVERYWHERE = "no sample has it", "every sample has it"
_UNANSWERED, _NEITHER = "never answered", "neither true nor answered"
_NOTHING_TRUE = "no class is true"
_NO_PROBABILITIES = "the head gives no probabilities 0-1"
_NAMED = 3  # classes named in a sentence


def reasons_of_class(tally: Tally, column: int) -> dict[str, str]:
    """Say which numbers of a class are undefined, and why.

    Args:
        tally: All samples.
        column: Which class.
    """
    true, answered = tally.true[column], tally.answered[column]
    found = {}
    if not answered:
        found["precision"] = _UNANSWERED
    if not true:
        found["recall"] = _ABSENT
    if not true and not answered:
        found["f1"] = _NEITHER
    if not true or true == tally.samples:
        why = _EVERYWHERE if true else _ABSENT
        found |= {"roc_auc": why, "average_precision": why}
    return found


def reasons_of_head(
    tally: Tally, classes: Mapping[str, Doubles], names: Sequence[str], *, exclusive: bool
) -> dict[str, str]:
    """Say which numbers of a head are undefined or leave classes out, and why.

    Args:
        tally: All samples.
        classes: Each number of the classes [C].
        names: The classes [C].
        exclusive: Whether exactly one class is true of every sample.
    """
    found = {}
    for number, values in classes.items():
        why = _left_out(tally, number, values, names)
        macro = number if number in ("roc_auc", "average_precision") else f"macro_{number}"
        found[macro] = why
        found[f"weighted_{number}"] = why or ("" if tally.true.any() else _NOTHING_TRUE)
    if not tally.answered.any():
        found["micro_precision"] = "no class is answered"
    if not tally.true.any():
        found["micro_recall"] = _NOTHING_TRUE
    agreement = _agreement(tally) if exclusive else _agreement_of_classes(tally, names)
    if exclusive:
        found["balanced_accuracy"] = found["macro_recall"]
    if not tally.true.any() and not tally.answered.any():
        found["micro_f1"] = "no class is true or answered"
    found |= {n: _NO_PROBABILITIES for n in ("log_loss", "brier") if n not in tally.sums}
    return {name: why for name, why in {**found, **agreement}.items() if why}


def _left_out(tally: Tally, number: str, values: Doubles, names: Sequence[str]) -> str:
    missing = np.flatnonzero(np.isnan(values)).tolist()
    if not missing:
        return ""
    by_reason: dict[str, list[str]] = {}
    for column in missing:
        by_reason.setdefault(reasons_of_class(tally, column)[number], []).append(names[column])
    told = "; ".join(f"{_some(found)}: {why}" for why, found in by_reason.items())
    return f"over {len(names) - len(missing)} of {len(names)} classes; {told}"


def _agreement(tally: Tally) -> dict[str, str]:
    found = {}
    samples = tally.samples
    one_true, one_answered = (tally.true == samples).any(), (tally.answered == samples).any()
    if one_true or one_answered:
        what = "true" if one_true else "answered"
        found["matthews_corrcoef"] = f"one class only is {what}"
    if ((tally.true == samples) & (tally.answered == samples)).any():
        found["cohen_kappa"] = "one class only is true and answered"
    return found


def _agreement_of_classes(tally: Tally, names: Sequence[str]) -> dict[str, str]:
    one_true = (tally.true == 0) | (tally.true == tally.samples)
    one_answered = (tally.answered == 0) | (tally.answered == tally.samples)
    both = one_true & one_answered & (tally.true == tally.answered)
    return {
        "matthews_corrcoef": _over_some(
            one_true | one_answered, names, "all or none true or answered"
        ),
        "cohen_kappa": _over_some(both, names, "all or none true and answered"),
    }


def _over_some(missing: Flags, names: Sequence[str], why: str) -> str:
    left_out = [
        name for name, is_missing in zip(names, missing.tolist(), strict=True) if is_missing
    ]
    if not left_out:
        return ""
    known = len(names) - len(left_out)
    return f"over {known} of {len(names)} classes; {_some(left_out)}: {why}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    told = ", ".join(repr(name) for name in names[:_NAMED])
    return f"{told} and {more} more" if more > 0 else told
