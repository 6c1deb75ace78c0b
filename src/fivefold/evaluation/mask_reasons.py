"""Why a number of masks is undefined, or what it leaves out, in words."""

from collections.abc import Mapping, Sequence

import numpy as np

from fivefold.evaluation.mask_tally import PER_CLASS, SEEN, MaskTally
from fivefold.evaluation.metrics import Doubles

EMPTY_RULE = (
    "means over images leave out, for each class, images where it is neither true nor said; where "
    "it is but one of both they count 0. How often images without a class are left without it is "
    "its image specificity"
)
"""How empty masks are counted."""

_NAMED = 3  # classes named in a sentence
_ABSENT = "no image shows it"
_NEITHER = "neither true nor said anywhere"
_WHY = {
    "iou": _NEITHER,
    "dice": _NEITHER,
    "precision": "said nowhere",
    "recall": _ABSENT,
    "image_iou": _NEITHER,
    "image_dice": _NEITHER,
    "image_sensitivity": _ABSENT,
    "image_specificity": "every image shows it",
}


def reasons_of_class(tally: MaskTally, column: int) -> dict[str, str]:
    """Say which numbers of a class are undefined, and why.

    Args:
        tally: All images.
        column: Which class.
    """
    said, true = tally.of_class("said")[column], tally.of_class("true")[column]
    missing = {
        "precision": not said,
        "recall": not true,
        "image_sensitivity": not true,
        "image_specificity": not tally.of_class("absent")[column],
        **dict.fromkeys(("iou", "dice", "image_iou", "image_dice"), not (said or true)),
    }
    return {name: _WHY[name] for name in PER_CLASS if missing[name]}


def reasons_of_head(tally: MaskTally, classes: Mapping[str, Doubles]) -> dict[str, str]:
    """Say which means over classes are undefined or leave classes out, and why.

    Args:
        tally: All images.
        classes: Each number of the classes [K].
    """
    names, found = tally.head.class_names, {}
    exclusive = tally.head.activation == "softmax"
    for name in PER_CLASS:
        first = 1 if exclusive and name in SEEN else 0
        found[name] = _left_out(classes[name][first:], names[first:], _WHY[name])
        if exclusive and name not in SEEN:
            found[f"foreground_{name}"] = _left_out(classes[name][1:], names[1:], _WHY[name])
    if not tally.of_all("pixels"):
        found |= dict.fromkeys(("pixel_accuracy", "log_loss"), "no pixel counts")
    return {name: why for name, why in found.items() if why}


def _left_out(values: Doubles, names: Sequence[str], why: str) -> str:
    missing = np.flatnonzero(np.isnan(values)).tolist()
    if not missing:
        return ""
    if len(names) == 1:
        return why
    told = ", ".join(repr(names[column]) for column in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    known = len(names) - len(missing)
    return f"over {known} of {len(names)} classes; {told}{more}: {why}"
