"""Several trained models as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fivefold.core.types import AnyArray, Floats
from fivefold.engine.device import accelerator
from fivefold.models import Classifier, probabilities
from fivefold.models.arrays import predict_array


class LoadedModels(nn.Module):
    """Models that answer together: their probabilities are averaged, of each output by itself.

    Args:
        models: In eval mode on the device, of the same classes.

    Attributes:
        models: The same.
        heads: What the columns of the probabilities mean.
    """

    def __init__(self, models: Sequence[Classifier]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.heads = models[0].heads
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W], 0-255, into mean probabilities [N, all classes]."""
        each = [probabilities(model(images).float(), self.heads) for model in self.models]
        return torch.stack(each).mean(dim=0)

    def predict(self, images: AnyArray) -> Floats | list[Floats]:
        """Predict images as they enter the network, as Keras's `predict` does.

        Args:
            images: Pixels [N, H, W, C], 0-255, at the network's size.

        Returns:
            Mean probabilities [N, classes]; of several outputs a list of such arrays.

        Raises:
            DataError: If they are no images.
        """
        return predict_array(images, self.heads, accelerator().device, self)
