"""What models look at in an image, one of them or several together."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from fivefold.core.ahead import map_ahead
from fivefold.core.types import Floats, Image
from fivefold.engine.device import accelerator, computing_with
from fivefold.engine.predictor import usual_workers
from fivefold.models import Classifier
from fivefold.models.cam import CLASS_MAPS, class_maps
from fivefold.models.rollout import attention_map
from fivefold.models.spatial import find_layer, named_layer

Method: TypeAlias = Literal["gradcam", "layercam", "rollout"]

_Result = TypeVar("_Result")


class Looker:
    """Shows where models look; of several, the mean of what each shows.

    Args:
        models: In eval mode on the device, of one architecture.
        method: "gradcam" or "layercam", which show where a class is, or "rollout", which shows
            where a transformer looks whatever the class.
        layer: Of the backbone; "" finds the last one whose map decides.

    Raises:
        ConfigError: If there is no such layer.
    """

    def __init__(self, models: Sequence[Classifier], method: Method, layer: str = "") -> None:
        self._models = models
        self._method = method
        self._layer = layer
        if layer:
            named_layer(models[0], layer)

    @property
    def layer(self) -> str:
        """The layer that is looked at; "" before the first look, and where all layers count."""
        return self._layer

    def look(self, pixels: Image, columns: Sequence[int]) -> Floats:
        """Show where an image speaks for some classes.

        Each model's map is brought to 0-1 by its highest value, since logits have no common scale,
        and the mean likewise. Where nothing speaks for a class its map is 0 everywhere.

        Args:
            pixels: As the network sees them [H, W, C].
            columns: Of the classes among all heads' columns; no matter for a roll-out.

        Returns:
            A map for each class, 0-1 [K, h, w].

        Raises:
            ConfigError: If the network has no such map.
        """
        images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None]
        images = images.to(accelerator().device)
        if not self._layer and self._method != "rollout":
            model = self._models[0]
            cells = model.cells.cut(images)[:1] if model.cells.are_in(images) else images
            (self._layer,) = of_each(self._models[:1], lambda one: find_layer(one, cells).name)
        each = of_each(self._models, lambda model: _to_one(self._maps(model, images, columns)))
        maps: Floats = _to_one(torch.stack(each).mean(dim=0)).cpu().numpy()
        return maps

    def _maps(self, model: Classifier, images: Tensor, columns: Sequence[int]) -> Tensor:
        if self._method == "rollout":
            return attention_map(model, images)[None].expand(len(columns), -1, -1)
        return class_maps(model, images, columns, self._layer, CLASS_MAPS[self._method])


def of_each(
    models: Sequence[Classifier], function: Callable[[Classifier], _Result]
) -> list[_Result]:
    """Call a function for each of several models; on a CPU side by side.

    Each has one thread for torch's operations, as in prediction: a single image keeps no more
    busy, and the bits do not depend on the number of cores.
    """
    workers = min(len(models), usual_workers())
    with computing_with(1):
        if workers == 1:
            return [function(model) for model in models]
        ahead = len(models)
        return [*map_ahead(function, models, threads=workers, ahead=ahead, begin=_use_one_thread)]


def _use_one_thread() -> None:
    torch.set_num_threads(1)


def _to_one(maps: Tensor) -> Tensor:
    highest = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp(min=torch.finfo(maps.dtype).tiny), 0)
