"""A network, a loss, a metric and an augmenter that fivefold does not have."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from fivefold import architecture, augmenter, loss, metric
from fivefold.augment.changes import Pixels
from fivefold.core.predictions import Predictions


@architecture()
class WeaveNet(nn.Module):
    """Four convolutions, and of each channel both the mean and the maximum."""

    num_features = 64
    mean = (0.45,)  # of pixels as 0-1; one number is for all channels
    std = (0.25,)

    def __init__(self, *, in_channels: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (16, 16, 32, 32):
            layers += [
                nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            in_channels = channels
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Turn normalised pixels [N, in_channels, H, W] into features [N, 64]."""
        maps = self.layers(images)
        return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)


@loss(inputs="probabilities", gives="sample")
def patient_crossentropy(
    probs: Tensor, targets: Tensor, *, patience: Annotated[float, Field(gt=0, le=1)] = 0.7
) -> Tensor:
    """Generalised cross-entropy, (1 - p^q) / q: samples that stay wrong count less.

    Args:
        probs: [N, C].
        targets: The truth in the same columns [N, C].
        patience: q: near 0 it is cross-entropy, at 1 the mean absolute error.

    Returns:
        One number for each sample [N].

    References:
        Zhang and Sabuncu, 2018, https://arxiv.org/abs/1805.07836
    """
    of_truth = (probs * targets).sum(dim=1).clamp(min=1e-7)
    return (1 - of_truth**patience) / patience


@metric(best="max")
def torn_found(predictions: Predictions) -> float:
    """Share of the torn cloth that is found while at most one whole cloth in ten is called torn."""
    column = predictions.class_names.index("torn")
    torn = predictions.truth[:, column] > 0.5
    probs = predictions.probs[:, column]
    if torn.all() or not torn.any():
        return float("nan")
    threshold = np.quantile(probs[~torn], 0.9)
    return float((probs[torn] > threshold).mean())


@augmenter(name="Shadow")
def shadow(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    strength: tuple[float, float] = (0.0, 0.4),
) -> Pixels:
    """Let a shadow fall over one side, by up to a part of the brightness.

    Everything random is drawn here, once for each image; pixels change later.
    """
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(*strength)
    y, x = np.mgrid[:height, :width] / max(height, width) - 0.5
    light = 1 - depth * (0.5 + np.clip(x * np.cos(angle) + y * np.sin(angle), -0.5, 0.5))
    return Pixels(lambda image: (image * light[..., None]).astype(np.uint8))
