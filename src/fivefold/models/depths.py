"""How deep in a net each parameter is, and which a net wants spared from weight decay."""

from fnmatch import fnmatch
from typing import Any

from fivefold.models.classifier import Classifier
from fivefold.models.layers import layers_of

_OF_NET = "backbone.net."


def layer_scales(model: Classifier, decay: float) -> dict[str, float]:
    """Compute the factor on the learning rate of each parameter of a backbone.

    The head learns at the full rate, each layer before it at `decay` of the rate of the next. A
    learned stem before it has the full rate too, since it begins from random numbers.

    Args:
        model: Its head is one layer behind the backbone's last.
        decay: 0-1.

    Where the head learns nothing, as behind a user's own network that makes masks, the backbone's
    last layer has the full rate.

    Returns:
        Factors by the parameters' names in the model; the head's are left out, being 1.

    References:
        Clark et al., 2020, https://arxiv.org/abs/2003.10555; Bao et al., 2021 (BEiT),
        https://arxiv.org/abs/2106.08254; timm's `param_groups_layer_decay`.
    """
    if decay == 1:
        return {}
    depths, top = layers_of(model.backbone.net)
    top -= not any(True for _ in model.head.parameters())
    return {_OF_NET + name: decay ** (top - depth) for name, depth in depths.items()}


def spared_weights(model: Classifier) -> frozenset[str]:
    """Name the parameters that a net asks not to decay, such as embeddings of positions."""
    net: Any = model.backbone.net
    if not hasattr(net, "no_weight_decay"):
        return frozenset()
    patterns = net.no_weight_decay()
    names = (name for name, _ in net.named_parameters())
    return frozenset(_OF_NET + n for n in names if any(fnmatch(n, p) for p in patterns))
