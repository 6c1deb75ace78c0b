"""Users' own metrics, of images or of masks: what they give is looked at before it is used."""

import numbers
from collections.abc import Callable
from typing import Any

from fivefold.core.own_parts import Part, shape_text


def guarded(part: Part) -> Callable[..., float]:
    """Make a metric that tells what is wrong with a user's one.

    Raises:
        ConfigError: If nobody said which way it is better.
    """
    best = part.facts.get("best")
    if best not in ("max", "min"):
        part.refuse("best='max' or best='min' where it is registered", f"best={best!r}")

    def metric(found: Any, **options: Any) -> float:
        with part.at_work():
            value = part.make(found, **options)
        return _number(part, value)

    return metric


def _number(part: Part, value: Any) -> float:
    # NumPy's numbers, and arrays and tensors of no dimension, have an item
    plain = value.item() if getattr(value, "ndim", None) == 0 else value
    if not isinstance(plain, numbers.Real) or isinstance(plain, bool):
        part.refuse_result("one number", shape_text(value))
    return float(plain)
