"""What training minimises: losses of logits, and sums of them as a config writes them.

`fivefold.losses.expression` reads such sums without torch; the other names load it on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fivefold.losses.expression import ExpressionError, Term, loss_names, parse_expression

if TYPE_CHECKING:
    from fivefold.losses.classification import losses as losses
    from fivefold.losses.objective import build_loss as build_loss
    from fivefold.losses.objective import check_loss as check_loss

_HOMES = {
    "build_loss": "fivefold.losses.objective",
    "check_loss": "fivefold.losses.objective",
    "losses": "fivefold.losses.classification",
}

__all__ = [
    "ExpressionError",
    "Term",
    "build_loss",
    "check_loss",
    "loss_names",
    "losses",
    "parse_expression",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module 'fivefold.losses' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(_HOMES[name]), name)
