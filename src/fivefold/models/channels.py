"""Images with more or fewer than three channels, for weights that know red, green and blue."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fivefold.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class InputSpec:
    """How a net's weights expect pixels.

    Attributes:
        mean: Of each channel, of pixels scaled to 0-1.
        std: Standard deviation of each channel, of pixels scaled to 0-1.
        interpolation: How images were resized when the weights were trained.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"


def sources(channels: int, *, copy_weights: bool) -> list[int]:
    """Say which of red, green and blue each channel stands for, by their positions.

    With `copy_weights` the last channel is always blue (Musket's rule); channels beyond the third
    are blue as well.
    """
    if copy_weights:
        return [*(min(channel, 2) for channel in range(channels - 1)), 2]
    return [min(channel, 2) for channel in range(channels)]


def input_spec(
    mean: Sequence[float],
    std: Sequence[float],
    interpolation: str,
    *,
    channels: int,
    copy_weights: bool = False,
) -> InputSpec:
    """Extend a normalisation to the channels of the images.

    One grey channel is normalised by the mean over the colours, since all of them look at it.

    Args:
        mean: One value for each colour, or one for all.
        std: As `mean`.
        interpolation: As in `InputSpec`.
        channels: Channels of the images.
        copy_weights: As in `adapt_channels`.
    """
    chosen = sources(channels, copy_weights=copy_weights)

    def extend(values: Sequence[float]) -> tuple[float, ...]:
        values = [float(value) for value in values]
        if len(values) == channels:
            return tuple(values)
        if len(values) == 1:
            return tuple(values * channels)
        if channels == 1 and not copy_weights:
            return (sum(values) / len(values),)
        return tuple(values[position] for position in chosen)

    return InputSpec(extend(mean), extend(std), interpolation)


def adapt_channels(name: str, weight: Tensor, wanted: torch.Size, *, copy_weights: bool) -> Tensor:
    """Make a first convolution's weights for three colours fit other images.

    One channel takes the sum over the colours, so that a grey image is seen as before; of two, the
    first two colours are scaled by 3/2; channels beyond the third start from zeros. With
    `copy_weights` each channel takes the weights of one colour instead; see `sources`.

    Args:
        name: The net, for the error.
        weight: Any tensor of the net with three channels; all others are returned as they are.
        wanted: Its shape in the net for the images.
        copy_weights: Musket's `copyWeights`.

    Raises:
        ConfigError: If it differs from a plain convolution over the image's channels.
    """
    if weight.shape == wanted:
        return weight
    channels = wanted[1] if len(wanted) == 4 else 0
    if (
        weight.ndim != 4
        or weight.shape[1] != 3
        or (len(weight), *weight.shape[2:])
        != (
            wanted[0],
            *wanted[2:],
        )
    ):
        message = (
            f"shape: expected 3 channels, since {name!r} does not begin with a plain convolution"
        )
        hint = "use 3 channels, another net, or `weights: none`"
        raise ConfigError([Problem("config/channels", "", message, hint)])
    if copy_weights:
        return weight[:, sources(channels, copy_weights=True)].clone()
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    if channels == 2:
        return weight[:, :2] * 1.5
    zeros = weight.new_zeros((len(weight), channels - 3, *weight.shape[2:]))
    return torch.cat([weight, zeros], dim=1)
