"""Which weights decay, and which learn more slowly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Parameter

SCALE = "lr_scale"
"""In a group of parameters: what the learning rate of a step is multiplied by."""


@dataclass(frozen=True)
class Rules:
    """What parameters are told apart by.

    Attributes:
        spare: Whether biases, and the scales and shifts of normalisation, do not decay.
        spared: Names of parameters that do not decay either, if `spare`.
        scales: Factor on the learning rate by name; 1 for names that are not here.
    """

    spare: bool = True
    spared: frozenset[str] = frozenset()
    scales: Mapping[str, float] = field(default_factory=dict)


def parameter_groups(
    named_parameters: Iterable[tuple[str, "Parameter"]], weight_decay: float, rules: Rules
) -> list[dict[str, Any]]:
    """Group the trainable parameters by their weight decay and their learning rate.

    Biases and the scales and shifts of normalisation do not decay, unless the rules say so:
    pulling them towards zero shrinks what the network can say without making it any simpler.

    Args:
        named_parameters: As `model.named_parameters()` gives them; frozen ones are left out.
        weight_decay: The decay of all others, at least 0.
        rules: Which are the others.

    Returns:
        Groups for a torch optimizer, none of them empty: those that decay first, then by the
        learning rate, the lowest first; in each the order of the parameters.
    """
    groups: dict[tuple[bool, float], list[Parameter]] = {}
    for name, parameter in named_parameters:
        if not parameter.requires_grad:
            continue
        free = parameter.ndim <= 1 or name.endswith(".bias") or name in rules.spared
        place = (bool(weight_decay) and rules.spare and free, rules.scales.get(name, 1.0))
        groups.setdefault(place, []).append(parameter)
    return [
        {"params": groups[free, scale], "weight_decay": 0.0 if free else weight_decay}
        | ({} if scale == 1 else {SCALE: scale})
        for free, scale in sorted(groups)
    ]
