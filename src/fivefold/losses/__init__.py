"""What training minimises: losses of logits, and sums of them as a config writes them.

Names and options are checked without torch, which is loaded when a loss is first computed.
"""

from fivefold.losses.classification import losses
from fivefold.losses.expression import ExpressionError, Term, loss_names, parse_expression
from fivefold.losses.objective import build_loss, check_loss

__all__ = [
    "ExpressionError",
    "Term",
    "build_loss",
    "check_loss",
    "loss_names",
    "losses",
    "parse_expression",
]
