"""Users' own losses: what they give is looked at before anything is made of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fivefold.core.optional import late
from fivefold.core.own_parts import Part, shape_text

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:  # a config is checked without it
    torch, Tensor = late("torch"), Any

_FACTS: Mapping[str, tuple[str, ...]] = {
    "inputs": ("softmax", "sigmoid", "probabilities"),
    "gives": ("class", "sample"),
}


def guarded(part: Part) -> Callable[..., Tensor]:
    """Make a loss that tells what is wrong with a user's one.

    Raises:
        ConfigError: If it was registered with facts that mean nothing.
    """
    for fact, known in _FACTS.items():
        if fact in part.facts and part.facts[fact] not in known:
            wanted = " or ".join(map(repr, known))
            part.refuse(f"{fact}={wanted}", repr(part.facts[fact]))

    def loss(logits: Tensor, targets: Tensor, **options: Any) -> Tensor:
        with part.at_work():
            value = part.make(logits, targets, **options)
        return _looked_at(part, logits, value)

    return loss


def _looked_at(part: Part, logits: Tensor, value: Any) -> Tensor:
    rows, columns = logits.shape
    shapes: dict[str, list[tuple[int, ...]]] = {
        "class": [(rows, columns)],
        "sample": [(rows,)],
        "": [(), (rows,), (rows, columns)],
    }
    allowed = shapes[part.facts.get("gives", "")]
    if not isinstance(value, torch.Tensor) or tuple(value.shape) not in allowed:
        wanted = f"a tensor of shape {' or '.join(map(str, allowed))}"
        part.refuse_result(f"{wanted} of {rows} samples and {columns} classes", shape_text(value))
    if not value.is_floating_point():
        part.refuse_result("a tensor of floating-point numbers", shape_text(value))
    if logits.requires_grad and torch.is_grad_enabled() and not value.requires_grad:
        part.refuse_result(
            "a tensor with a gradient", "one that was cut off from the logits, as by `detach`"
        )
    return value
