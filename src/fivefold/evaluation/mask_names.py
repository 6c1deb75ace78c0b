"""Names of metrics of masks: those of the catalog, and of single classes."""

import functools
import re
from collections.abc import Mapping

from fivefold.core.catalog import Component
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import MaskKind
from fivefold.core.own_parts import is_own
from fivefold.core.types import Head
from fivefold.evaluation.mask_counts import BY_CLASS, by_class
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.metrics import REFUSED, find_metric

_OF_CLASS = re.compile(rf"({'|'.join(BY_CLASS)})_(.+)", re.IGNORECASE)
_OWN = "it is given predictions of whole images; `mask_metric` adds one of masks"
_SEARCH = "`thresholds` searches them on whole maps once all folds are trained"
_ALL_PIXELS = "it needs the probabilities of all pixels in their order; write `iou` or `log_loss`"
_WHOLE_IMAGES = "it measures whole images; `fivefold list metrics` names those of masks"


def find_mask_metric(name: str, head: Head | None = None) -> Component[float] | None:
    """Look up a metric of masks by name in any case, `iou_<class>` and its like among them.

    Args:
        name: As it was written.
        head: Whose classes there are; None: any name that whole images have no metric of is taken
            for that of a class.
    """
    component = mask_metrics.find(name)
    match = _OF_CLASS.fullmatch(name.strip())
    if component is not None or match is None:
        return component
    is_one = _column(match[2], head) is not None if head else find_metric(name) is None
    if not is_one:
        return None
    number = match[1].casefold()
    make = functools.partial(_of_class, number=number, class_name=match[2])
    return Component(f"{number}_{match[2]}", make, facts={"best": "max"})


def mask_metric_problem(name: str, head: Head | None = None) -> Problem | None:
    """Say what keeps a name from being a metric of masks; its message has no key in front.

    Args:
        name: As it was written.
        head: Whose masks; None where nobody knows yet.
    """
    component = find_mask_metric(name, head)
    if component is None:
        return _unknown(name, head)
    wanted = component.facts.get("exclusive")
    if head is None or wanted in (None, MaskKind.of_head(head).exclusive):
        return None
    message = f"expected a metric for activation {head.activation!r}, got {name!r}"
    hint = "`log_loss` is the cross-entropy of any"
    return Problem("config/refused-metric", "", message, hint)


def _unknown(name: str, head: Head | None) -> Problem:
    reason = _reason(name.strip().casefold())
    if reason:
        message = f"expected something that can be measured of masks, got {name!r}"
        return Problem("config/refused-metric", "", message, reason)
    classes = [] if head is None else [f"{n}_{c}" for n in BY_CLASS for c in head.class_names]
    known = [*mask_metrics.spellings(), *classes]
    hint = did_you_mean(name, known, "`fivefold list metrics` names all of them")
    message = f"expected the name of a known metric of masks, got {name!r}"
    return Problem("config/unknown-name", "", message, hint)


def _reason(name: str) -> str:
    """Say why something that exists for whole images is none of masks."""
    component = find_metric(name)
    if component is None:
        return REFUSED.get(name, "")
    if is_own(component.make):
        return _OWN
    if component.facts.get("threshold"):
        return _SEARCH
    return _REASONS.get(component.name, _WHOLE_IMAGES)


_REASONS: Mapping[str, str] = dict.fromkeys(
    ["auc", "micro_auc", "average_precision", "micro_average_precision"], _ALL_PIXELS
)


def _column(class_name: str, head: Head) -> int | None:
    """Find a class by its name; in another case where that is only one's."""
    if class_name in head.class_names:
        return head.class_names.index(class_name)
    folded = [name.casefold() for name in head.class_names]
    wanted = class_name.casefold()
    return folded.index(wanted) if folded.count(wanted) == 1 else None


def _of_class(scores: MaskScores, *, number: str, class_name: str) -> float:
    column = _column(class_name, scores.heads[0])
    return float(by_class(scores, number)[column]) if column is not None else float("nan")
