"""Where in an image a classifier sees a class: Grad-CAM and LayerCAM.

References:
    Grad-CAM: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, equations 1 and 2. LayerCAM: Jiang et al., "LayerCAM: Exploring
    Hierarchical Class Activation Maps for Localization", IEEE TIP 2021, equations 5 to 7.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from fivefold.models.cells import Cells
from fivefold.models.classifier import Classifier
from fivefold.models.spatial import as_map, named_layer, not_a_map, prefixes_of

Weigh: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""From a map of features and its gradients, both [N, C, h, w], to what speaks for a class."""


def grad_cam(features: Tensor, gradients: Tensor) -> Tensor:
    """Weigh channels by the mean of their gradients; what is against the class is left out."""
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return (weights * features).sum(dim=1).relu()


def layer_cam(features: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel at each position by its gradient there, where that is above 0."""
    return (gradients.relu() * features).sum(dim=1).relu()


CLASS_MAPS: Mapping[str, Weigh] = {"gradcam": grad_cam, "layercam": layer_cam}
"""Methods whose maps are of one class."""


def class_maps(
    model: Classifier, images: Tensor, columns: Sequence[int], layer: str, weigh: Weigh
) -> Tensor:
    """Show where an image speaks for some classes.

    What is explained is the logit, not the probability, whose gradient fades where the model is
    sure. Where the network sees cells it is the logit of the joined answer, and the cells' maps are
    put together.

    Args:
        model: In eval mode, as it was loaded.
        images: One whole image [1, C, H, W], 0-255.
        columns: Of the classes among all heads' columns.
        layer: As `spatial.Layer.name`.
        weigh: One of `CLASS_MAPS`.

    Returns:
        For each class how much each position speaks for it, at least 0 [K, h, w].

    Raises:
        ConfigError: If the layer gives no map.
    """
    net, module = model.backbone.net, named_layer(model, layer)
    size = seen_size(model, images)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor) or as_map(output, size, prefixes_of(net)) is None:
            raise not_a_map(layer, list(getattr(output, "shape", "")) or type(output).__name__)
        # The graph begins here: what comes before needs no gradients. What follows gets a copy,
        # since it may write into it.
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()

    with alone_in_float32(model):
        hook = module.register_forward_hook(keep)
        try:
            logits = model(images)[0]
        finally:
            hook.remove()
        if not kept:
            raise not_a_map(layer, "nothing: it is not called")
        output = kept[-1]
        maps = []
        for column in columns:
            (gradient,) = torch.autograd.grad(
                logits[column], output, retain_graph=True, allow_unused=True
            )
            gradient = torch.zeros_like(output) if gradient is None else gradient
            pair = [as_map(values, size, prefixes_of(net)) for values in (output, gradient)]
            maps.append(tiled(weigh(*pair), model.cells).detach())  # type: ignore[arg-type]  # maps
    return torch.stack(maps)


def tiled(cells_maps: Tensor, cells: Cells) -> Tensor:
    """Put the maps of an image's cells [n * n, h, w] together [n * h, n * w]."""
    n = cells.per_side
    rows, columns = cells_maps.shape[1:]
    whole = cells_maps.reshape(n, n, rows, columns).permute(0, 2, 1, 3)
    return whole.reshape(n * rows, n * columns)


def seen_size(model: Classifier, images: Tensor) -> tuple[int, int]:
    """Give height and width of what the backbone is given of images [N, C, H, W], in pixels."""
    n = model.cells.per_side if model.cells.are_in(images) else 1
    return images.shape[2] // n, images.shape[3] // n


@contextmanager
def alone_in_float32(model: Classifier) -> Iterator[None]:
    """Let a model compute in float32, and keep its parameters out of the graph, for a while.

    bfloat16 would leave two digits of a gradient, and a map of steps.
    """
    chosen = model.choices
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        model.choices = replace(chosen, precision="float32")
        for parameter in learned:
            parameter.requires_grad_(False)
        with torch.enable_grad():
            yield
    finally:
        model.choices = chosen
        for parameter in learned:
            parameter.requires_grad_(True)
