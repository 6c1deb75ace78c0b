"""Which weights decay."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Parameter


def parameter_groups(
    named_parameters: Iterable[tuple[str, "Parameter"]], weight_decay: float
) -> list[dict[str, Any]]:
    """Group the trainable parameters by their weight decay.

    Biases and the scales and shifts of normalisation do not decay: pulling them towards zero
    shrinks what the network can say without making it any simpler.

    Args:
        named_parameters: As `model.named_parameters()` gives them; frozen ones are left out.
        weight_decay: The decay of all others, at least 0; where it is 0 there is one group.

    Returns:
        Groups for a torch optimizer, none of them empty, in the order of the parameters.
    """
    trainable = [(name, p) for name, p in named_parameters if p.requires_grad]
    if not weight_decay:
        groups = {0.0: [p for _, p in trainable]}
    else:
        free = [p.ndim <= 1 or name.endswith(".bias") for name, p in trainable]
        groups = {
            weight_decay: [p for (_, p), f in zip(trainable, free, strict=True) if not f],
            0.0: [p for (_, p), f in zip(trainable, free, strict=True) if f],
        }
    return [{"params": ps, "weight_decay": decay} for decay, ps in groups.items() if ps]
