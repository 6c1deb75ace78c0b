"""Where in a net features still lie over the image, and the last layer where they do."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fivefold.core.errors import ConfigError, Problem, closest
from fivefold.models.classifier import Classifier

_FEWEST = 9
"""Positions of a map that says where something is; a net's last maps of small images have fewer."""
_SHOWN = 5
_NO_LAYERS = (nn.Identity, nn.Dropout, nn.Softmax)


@dataclass(frozen=True)
class Layer:
    """A part of a net whose output lies over the image.

    Attributes:
        name: As the net's `named_modules` has it.
        grid: Rows and columns of its map.
    """

    name: str
    grid: tuple[int, int]


def as_map(output: Tensor, size: tuple[int, int], prefixes: Sequence[int]) -> Tensor | None:
    """See what a layer gives as a map of features [N, C, h, w]; None if it is none.

    A layer gives [N, C, h, w], [N, h, w, C], or tokens [N, P + h * w, C], of which the first P
    stand for no position. A map has the image's proportions, and more than one position.

    Args:
        output: Of any number of dimensions.
        size: Height and width of the image, in pixels.
        prefixes: Numbers P to try, in order.
    """
    if output.ndim == 4:
        if _fits(output.shape[2], output.shape[3], size):
            return output
        if _fits(output.shape[1], output.shape[2], size):
            return output.permute(0, 3, 1, 2)
    if output.ndim == 3:
        for prefix in prefixes:
            grid = _grid(output.shape[1] - prefix, size)
            if grid is not None:
                tokens = output[:, prefix:].mT
                return tokens.reshape(tokens.shape[0], tokens.shape[1], *grid)
    return None


def prefixes_of(net: nn.Module) -> tuple[int, ...]:
    """Say how many tokens of a net may stand for no position, the likeliest number first."""
    known = getattr(net, "num_prefix_tokens", None)
    return (0, 1, 2) if known is None else (int(known), 0)


def find_layer(model: Classifier, images: Tensor) -> Layer:
    """Find the last layer of a net whose positions decide the logits.

    The net is tried on an image, and every part is asked whether its output is a map and whether
    the logits depend on its positions: behind the last attention of a transformer that reads its
    class token, they do not. Maps of fewer than nine positions count only if there is no other;
    what lies inside an attention, and what changes nothing, does not count.

    Args:
        model: In eval mode.
        images: What the backbone takes [1, C, H, W], 0-255.

    Raises:
        ConfigError: If no layer gives a map.
    """
    found = _layers_with_say(model, images)
    large = [layer for layer in found if layer.grid[0] * layer.grid[1] >= _FEWEST]
    if not found:
        message = "expected a layer that gives a map of features, got none in this net"
        hint = "features that do not lie over the image cannot be shown on it"
        raise ConfigError([Problem("config/no-map", "", message, hint)])
    return (large or found)[-1]


def named_layer(model: Classifier, name: str) -> nn.Module:
    """Give a part of a net by its name.

    Raises:
        ConfigError: If there is none; names the closest.
    """
    modules: dict[str, nn.Module] = dict(model.backbone.net.named_modules())
    if name in modules and name:
        return modules[name]
    message = f"layer: expected the name of a layer of the backbone, got {name!r}"
    raise ConfigError([Problem("config/no-layer", "", message, _near(name, list(modules)))])


def not_a_map(name: str, shape: object) -> ConfigError:
    """Word that a layer's output does not lie over the image."""
    message = f"layer: expected one that gives a map of features, got {name!r}, which gives {shape}"
    hint = "leave it out, and the last layer with a map is taken"
    return ConfigError([Problem("config/no-layer", "", message, hint)])


def _near(name: str, names: list[str]) -> str:
    """Name the closest layers: by spelling, else those that begin alike, else the outermost."""
    match = closest(name, names)
    same = [other for other in names if other and other.startswith(name.partition(".")[0])]
    outermost = [other for other in names if other and "." not in other]
    near = list(dict.fromkeys([*([match] if match else []), *(same or outermost)]))
    shown = ", ".join(repr(other) for other in near[:_SHOWN])
    return f"such as {shown}; leave it out, and the last layer with a map is taken"


def _layers_with_say(model: Classifier, images: Tensor) -> list[Layer]:
    """Name the layers whose maps the logits depend on, in the order in which they end."""
    net, size = model.backbone.net, (images.shape[2], images.shape[3])
    prefixes = prefixes_of(net)
    outputs: list[tuple[str, Tensor]] = []

    def recorder(name: str) -> Callable[[nn.Module, Any, Any], Tensor | None]:
        def record(_module: nn.Module, _inputs: Any, output: Any) -> Tensor | None:
            is_map = isinstance(output, Tensor) and len(output) == len(images)
            if not is_map or as_map(output, size, prefixes) is None:
                return None
            outputs.append((name, output))
            copy: Tensor = output.clone()  # what follows may write into it
            return copy

        return record

    with ExitStack() as hooks, torch.enable_grad():
        for name, module in _candidates(net):
            hooks.callback(module.register_forward_hook(recorder(name)).remove)
        pixels = images.float().requires_grad_()
        features = model.features(pixels)
        # Any direction will do that is no sum, since a sum of normalised features does not change.
        directions = torch.linspace(1, 2, features.numel(), device=features.device).sin()
        score = (features.flatten() * directions).sum()
        tensors = [tensor for _, tensor in outputs]
        gradients = torch.autograd.grad(score, tensors, allow_unused=True) if tensors else ()
    layers = []
    for (name, _), gradient in zip(outputs, gradients, strict=True):
        seen: Tensor | None = None if gradient is None else as_map(gradient, size, prefixes)
        if seen is not None and bool(seen.any()):
            layers.append(Layer(name, (seen.shape[2], seen.shape[3])))
    return layers


def _candidates(net: nn.Module) -> list[tuple[str, nn.Module]]:
    """List the parts that may be asked; an attention's own give queries and keys, no features."""
    inside = {
        id(part)
        for module in net.modules()
        if hasattr(module, "num_heads") and not hasattr(module, "mlp")
        for part in list(module.modules())[1:]
    }
    return [
        (name, module)
        for name, module in net.named_modules()
        if name and id(module) not in inside and not isinstance(module, _NO_LAYERS)
    ]


def _fits(rows: int, columns: int, size: tuple[int, int]) -> bool:
    height, width = size
    if rows * columns < 2 or rows > height or columns > width:
        return False
    if height == width:
        return rows == columns
    # Rounded up or down at each of several steps.
    across, down = columns * height / width, rows * width / height
    return abs(rows - across) <= 1 or abs(columns - down) <= 1


def _grid(positions: int, size: tuple[int, int]) -> tuple[int, int] | None:
    if positions < 2:
        return None
    rows = max(1, round((positions * size[0] / size[1]) ** 0.5))
    near = (rows, rows + 1, max(1, rows - 1))
    grids = [(r, positions // r) for r in near if positions % r == 0]
    return next((grid for grid in grids if _fits(*grid, size)), None)
