"""What training minimises: losses by name, sums of them as a config writes them, and weights.

Names and options are checked without torch, which is loaded when a loss is first computed.
"""

from fivefold.losses import focal, of_probabilities, overlap
from fivefold.losses.classification import losses
from fivefold.losses.expression import ExpressionError, Term, loss_names, parse_expression
from fivefold.losses.fitting import (
    check_fit,
    check_loss,
    check_sample_weights,
    weigh_nothing,
)
from fivefold.losses.mask_fitting import check_mask_fit, check_mask_loss
from fivefold.losses.mask_losses import mask_losses
from fivefold.losses.mask_objective import MaskLoss, build_mask_loss
from fivefold.losses.objective import build_head_losses, build_loss, with_penalty
from fivefold.losses.weights import Balance, HeadWeights, head_weights, named_weights

__all__ = [
    "Balance",
    "ExpressionError",
    "HeadWeights",
    "MaskLoss",
    "Term",
    "build_head_losses",
    "build_loss",
    "build_mask_loss",
    "check_fit",
    "check_loss",
    "check_mask_fit",
    "check_mask_loss",
    "check_sample_weights",
    "focal",
    "head_weights",
    "loss_names",
    "losses",
    "mask_losses",
    "named_weights",
    "of_probabilities",
    "overlap",
    "parse_expression",
    "weigh_nothing",
    "with_penalty",
]
