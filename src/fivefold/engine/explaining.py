"""What models look at in an image, one of them or several together."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from fivefold.core.types import Floats, Image
from fivefold.engine.device import accelerator
from fivefold.models import Classifier
from fivefold.models.cam import CLASS_MAPS, class_maps
from fivefold.models.rollout import attention_map
from fivefold.models.spatial import find_layer, named_layer

Method: TypeAlias = Literal["gradcam", "layercam", "rollout"]


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
        means = torch.stack([_to_one(self._maps(model, images, columns)) for model in self._models])
        maps: Floats = _to_one(means.mean(dim=0)).cpu().numpy()
        return maps

    def _maps(self, model: Classifier, images: Tensor, columns: Sequence[int]) -> Tensor:
        if self._method == "rollout":
            return attention_map(model, images)[None].expand(len(columns), -1, -1)
        if not self._layer:
            cells = model.cells.cut(images)[:1] if model.cells.are_in(images) else images
            self._layer = find_layer(model, cells).name
        return class_maps(model, images, columns, self._layer, CLASS_MAPS[self._method])


def _to_one(maps: Tensor) -> Tensor:
    highest = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp(min=torch.finfo(maps.dtype).tiny), 0)
