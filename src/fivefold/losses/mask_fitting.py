"""Do losses and weights of classes fit masks? All that can be said before training."""

from collections.abc import Sequence

from fivefold.core.catalog import At, nowhere
from fivefold.core.errors import Problem
from fivefold.core.types import Head
from fivefold.losses.classification import losses
from fivefold.losses.fitting import Scope, Where, check_fit, check_loss
from fivefold.losses.mask_losses import mask_losses
from fivefold.losses.weights import Balance

_OF_IMAGE = "one for a whole image"
MASKS = Scope(
    (mask_losses, losses),
    "pixel",
    {"": _OF_IMAGE, "image": _OF_IMAGE, "sample": "one for a whole pixel"},
)


def check_mask_loss(text: str, at: At = nowhere, key: str = "loss") -> list[Problem]:
    """Find what is wrong with one expression for masks: its form, its names, their options."""
    return check_loss(text, at, key, MASKS)


def check_mask_fit(
    texts: Sequence[str], head: Head, balance: Balance | None = None, where: Where = nowhere
) -> list[Problem]:
    """Find losses that a head of masks cannot have, and weights that a loss or it cannot.

    Args:
        texts: Right by themselves: one, or none.
        head: Of the model.
        balance: What the classes are to weigh.
        where: Says where `loss`, `class_weights` and `pos_weight` stand.
    """
    return check_fit(texts, (head,), balance, where, MASKS)
