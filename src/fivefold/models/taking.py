"""What is taken of a timm net: the pooled features behind its last or an earlier level."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import timm
import torch
from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
from torch import Tensor, nn

Pooling: TypeAlias = Literal["avg", "max", "concat", "attention"]

Reader: TypeAlias = Callable[[Any, Tensor], Tensor]
"""From a net and normalised pixels [N, C, H, W] to features [N, D] or [N, D, positions]."""

LEARNED: Pooling = "attention"
"""The pooling that is a part of the head: the backbone gives it the features of every position."""


@dataclass(frozen=True)
class Taken:
    """What is taken of a net.

    Attributes:
        pooling: "avg" is the pooling that the net was trained with: the mean over the positions, or
            the class token of transformers that have one; "max" the maximum; "concat" the mean and
            behind it the maximum; "attention" leaves it to the head.
        cut: Levels that are left out at the end, as timm's `forward_intermediates` counts them.
    """

    pooling: Pooling = "avg"
    cut: int = 0


ALL = Taken()
"""The whole net with its own pooling."""


class NoMapError(ValueError):
    """A net gives no map of features, so that it pools in its own way only."""


class NoLevelError(ValueError):
    """A net has not so many levels.

    Args:
        levels: That it has.
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels


def whole(net: Any, images: Tensor) -> Tensor:
    """Take what a net gives."""
    features: Tensor = net(images)
    return features


def take(net: nn.Module, taken: Taken, images: Tensor) -> Reader:
    """Take off a timm net's last layer, and whatever else is not wanted of it, in place.

    Args:
        net: As timm made it.
        taken: What is wanted of it.
        images: Any that it takes, on the device of the net, which may be "meta".

    Returns:
        How features are read from the net.

    Raises:
        NoMapError: If the net has no map of features to be pooled this way.
        NoLevelError: If it has not so many levels.
    """
    if taken.cut:
        without_last_layer(net, "avg")
        reader = partial(_pooled_positions, _level(net, taken.cut, images), taken.pooling)
        drop_unused(net, reader, images)
        return reader
    if taken.pooling in ("avg", "max"):
        without_last_layer(net, taken.pooling)
        return whole
    return _pooled_anew(net, taken.pooling, images)


def without_last_layer(net: nn.Module, pooling: str) -> nn.Module:
    """Take off a timm net's last layer and set its pooling, "avg" or "max", in place."""
    timm_net: Any = net  # what all of timm's nets have in common has no type of its own
    if isinstance(net, timm.models.vgg.VGG):
        # Keras's VGG without its top ends at the convolutions: 512 features, 15 million parameters.
        timm_net.pre_logits = nn.Identity()
    timm_net.reset_classifier(0, None if pooling == "avg" else pooling)
    return net


def _pooled_anew(net: Any, pooling: Pooling, images: Tensor) -> Reader:
    without_last_layer(net, "avg")
    places = [n for n, m in net.named_modules() if isinstance(m, SelectAdaptivePool2d)]
    if len(places) != 1:
        _positions_of(net, images)
        return partial(_pooled_positions, _positions_of, pooling)
    mean = copy.deepcopy(net.get_submodule(places[0]))
    if pooling == LEARNED:
        net.set_submodule(places[0], _EachPosition(mean))
        return _unstacked_positions
    without_last_layer(net, "max")
    maximum = copy.deepcopy(net.get_submodule(places[0]))
    net.set_submodule(places[0], _MeanAndMaximum(mean, maximum))
    return _unstacked_pair


class _MeanAndMaximum(nn.Module):
    """Pools both ways; what a net does behind its pooling sees twice as many images."""

    def __init__(self, mean: nn.Module, maximum: nn.Module) -> None:
        super().__init__()
        self.mean = mean
        self.maximum = maximum

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self.mean(maps), self.maximum(maps)])


def _unstacked_pair(net: Any, images: Tensor) -> Tensor:
    features: Tensor = net(images)
    return torch.cat([*features.chunk(2)], dim=1)


class _EachPosition(nn.Module):
    """Makes an image of every position; what a net does behind its pooling sees each by itself."""

    def __init__(self, mean: Any) -> None:
        super().__init__()
        self.mean = mean
        self.channels_last = getattr(mean.pool, "dim", None) == (1, 2)

    def forward(self, maps: Tensor) -> Tensor:
        last = maps if self.channels_last else maps.permute(0, 2, 3, 1)
        positions = last.reshape(-1, 1, 1, last.shape[3])
        # Of one position the mean is itself: only the shape is as behind the net's own pooling.
        pooled: Tensor = self.mean(
            positions if self.channels_last else positions.permute(0, 3, 1, 2)
        )
        return pooled


def _unstacked_positions(net: Any, images: Tensor) -> Tensor:
    features: Tensor = net(images)
    return features.reshape(len(images), -1, features.shape[1]).mT


def _positions_of(net: Any, images: Tensor) -> Tensor:
    """Give the features of a net's positions [N, D, P], its class token left out."""
    found = net.forward_features(images)
    if not isinstance(found, Tensor) or found.ndim not in (3, 4):
        raise NoMapError
    if found.ndim == 4:
        if found.shape[1] != net.num_features:
            raise NoMapError
        return found.flatten(2)
    tokens: int | None = getattr(net, "num_prefix_tokens", None)
    if tokens is None and hasattr(net, "cls_token"):
        raise NoMapError
    patches = found[:, tokens or 0 :]
    norm = getattr(net, "fc_norm", None)  # what stands behind the pooling of some transformers
    return (patches if norm is None else norm(patches)).mT


def _level(net: Any, cut: int, images: Tensor) -> partial[Tensor]:
    """Find how the level is read that is the last one left."""
    if not hasattr(net, "forward_intermediates"):
        raise NoLevelError(1)
    norm = True  # as behind the last block of a transformer, whose blocks alone end in wild numbers
    with torch.no_grad():
        try:
            levels = net.forward_intermediates(images, norm=norm, intermediates_only=True)
        except AssertionError:
            norm = False
            levels = net.forward_intermediates(images, intermediates_only=True)
    if cut >= len(levels):
        raise NoLevelError(len(levels))
    return partial(_of_level, len(levels) - 1 - cut, norm=norm)


def _of_level(level: int, net: Any, images: Tensor, *, norm: bool) -> Tensor:
    """Give the features of a level's positions [N, D, P]."""
    maps = net.forward_intermediates(
        images, indices=[level], norm=norm, stop_early=True, intermediates_only=True
    )
    positions: Tensor = maps[-1].flatten(2)
    return positions


def _pooled_positions(positions_of: Reader, pooling: Pooling, net: Any, images: Tensor) -> Tensor:
    """Pool positions to [N, D], or twice as many; those of a learned pooling stay."""
    positions = positions_of(net, images)
    if pooling == LEARNED:
        return positions
    parts = {"avg": ("mean",), "max": ("amax",), "concat": ("mean", "amax")}[pooling]
    return torch.cat([getattr(positions, part)(dim=2) for part in parts], dim=1)


def drop_unused(net: nn.Module, reader: Callable[[Any, Tensor], object], images: Tensor) -> None:
    """Take modules out of a net that what is read of it does not come through."""
    used: set[nn.Module] = set()
    hooks = [
        module.register_forward_pre_hook(lambda module, _: used.add(module))
        for module in net.modules()
    ]
    with torch.no_grad():
        reader(net, images)
    for hook in hooks:
        hook.remove()
    _drop(net, used)


def _drop(module: nn.Module, used: set[nn.Module]) -> None:
    for name, child in list(module.named_children()):
        # What was called may use the weights of its parts without calling these.
        if child in used or not any(True for _ in child.parameters()):
            continue
        if used.isdisjoint(child.modules()):
            setattr(module, name, nn.Identity())
        else:
            _drop(child, used)
