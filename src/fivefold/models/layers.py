"""The layers of a net in order: what learns more slowly, and what does not learn at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from timm.models import group_parameters
from torch import nn

_HEAD = ""


def layers_of(net: nn.Module) -> tuple[dict[str, int], int]:
    """Number the layers of a net from the first one on.

    What a layer is, timm says of its nets; in others it is a module with a weight of several
    dimensions and the normalisation behind it.

    Returns:
        The layer of each parameter by its name, and the number that the head's would be.
    """
    any_net: Any = net
    if hasattr(any_net, "group_matcher"):
        depths = _as_timm_says(any_net)
        return depths, depths.pop(_HEAD)
    depths = _in_order(net)
    return depths, max(depths.values(), default=-1) + 1


def count_layers(net: nn.Module) -> int:
    """Count the layers that have parameters."""
    return len(set(layers_of(net)[0].values()))


def last_layers(net: nn.Module, count: int) -> frozenset[str]:
    """Name the parameters of so many layers at the end of a net."""
    depths, _ = layers_of(net)
    last = sorted(set(depths.values()))[-count:] if count else []
    return frozenset(name for name, depth in depths.items() if depth in last)


def _as_timm_says(net: Any) -> dict[str, int]:
    """Number the layers of a net of timm, the last layer that was taken off among them."""
    last = getattr(net, "pretrained_cfg", {}).get("classifier") or "head"
    head = f"{last if isinstance(last, str) else last[0]}.weight"
    whole: Any = _Named([*net.named_parameters(), (head, None)])
    found = dict(group_parameters(whole, net.group_matcher(coarse=False), reverse=True))
    found[_HEAD] = found.pop(head)
    return found


@dataclass(frozen=True)
class _Named:
    """Parameters by name, as timm asks a net for them."""

    parameters: Sequence[tuple[str, Any]]

    def named_parameters(self) -> Sequence[tuple[str, Any]]:
        """List them."""
        return self.parameters


def _in_order(net: nn.Module) -> dict[str, int]:
    depths: dict[str, int] = {}
    depth = -1
    for prefix, module in net.named_modules():
        own = dict(module.named_parameters(prefix, recurse=False))
        if own and (depth < 0 or any(parameter.ndim > 1 for parameter in own.values())):
            depth += 1
        depths |= dict.fromkeys(own, depth)
    return depths
