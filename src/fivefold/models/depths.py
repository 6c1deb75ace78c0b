"""How deep in a net each parameter is, and which a net wants spared from weight decay."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from timm.models import group_parameters
from torch import nn

from fivefold.models.classifier import Classifier

_OF_NET, _HEAD = "backbone.net.", ""


def layer_scales(model: Classifier, decay: float) -> dict[str, float]:
    """Compute the factor on the learning rate of each parameter of a backbone.

    The head learns at the full rate, each layer before it at `decay` of the rate of the next. What
    a layer is, timm says of its nets; in others it is a module with a weight of several dimensions
    and the normalisation behind it.

    Args:
        model: Its head is one layer behind the backbone's last.
        decay: 0-1.

    Returns:
        Factors by the parameters' names in the model; the head's are left out, being 1.

    References:
        Clark et al., 2020, https://arxiv.org/abs/2003.10555; Bao et al., 2021 (BEiT),
        https://arxiv.org/abs/2106.08254; timm's `param_groups_layer_decay`.
    """
    if decay == 1:
        return {}
    net: Any = model.backbone.net
    if hasattr(net, "group_matcher"):
        depths = _as_timm_says(net)
        top = depths.pop(_HEAD)
    else:
        depths = _in_order(net)
        top = max(depths.values(), default=-1) + 1
    return {_OF_NET + name: decay ** (top - depth) for name, depth in depths.items()}


def spared_weights(model: Classifier) -> frozenset[str]:
    """Name the parameters that a net asks not to decay, such as embeddings of positions."""
    net: Any = model.backbone.net
    if not hasattr(net, "no_weight_decay"):
        return frozenset()
    patterns = net.no_weight_decay()
    names = (name for name, _ in net.named_parameters())
    return frozenset(_OF_NET + n for n in names if any(fnmatch(n, p) for p in patterns))


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
