"""A learned way to make large images small before a backbone sees them."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Downscaling:
    """How images are made smaller.

    Attributes:
        steps: Each halves height and width; 0: images go to the backbone as they are.
        filters: Channels in between.
    """

    steps: int = 0
    filters: int = 64

    @property
    def factor(self) -> int:
        """How many times smaller the backbone's images are."""
        return int(2**self.steps)


NO_DOWNSCALING = Downscaling()
"""Images go to the backbone as they are."""


class Stem(nn.Module):
    """For each step a 4x4 convolution of stride 2 and a 3x3 one, then three channels from -1 to 1.

    Its structure is that of the down-scaling model of Ultimate Image Classification.

    Args:
        channels: Of the images.
        downscaling: At least one step.
    """

    def __init__(self, channels: int, downscaling: Downscaling) -> None:
        super().__init__()
        filters, layers = downscaling.filters, []
        for step in range(downscaling.steps):
            before = filters if step else channels
            layers += [nn.Conv2d(before, filters, 4, stride=2, padding=1), nn.ReLU()]
            layers += [nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(filters, 3, 3, padding=1), nn.Tanh())

    def forward(self, images: Tensor) -> Tensor:
        """Turn pixels [N, C, H, W] into [N, 3, H / 2^steps, W / 2^steps], -1 to 1."""
        small: Tensor = self.layers(images)
        return small
