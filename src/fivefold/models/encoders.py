"""Encoders: nets of timm that give the maps of several levels, each half as high and wide."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fivefold.core.errors import ConfigError, Problem
from fivefold.models.backbones import Backbone
from fivefold.models.channels import InputSpec, input_spec
from fivefold.models.names import backbones, timm_name, unknown
from fivefold.models.origins import WeightsOrigin
from fivefold.models.taking import drop_unused
from fivefold.models.trial import net_options
from fivefold.models.weights import IMAGENET, NONE, find_weights, load_pretrained, pretrained_facts


@dataclass(frozen=True)
class Levels:
    """Which maps are read of a net.

    Attributes:
        indices: Which of those that `forward_intermediates` gives.
        blanks: Levels between the image and the first of these maps that the net does not have:
            they have no channels.
        channels: Of every level, the image or what is as large first.
        stride: How many pixels of the image are one of the last map, along each side.
    """

    indices: tuple[int, ...]
    blanks: int
    channels: tuple[int, ...]
    stride: int

    @property
    def has_image(self) -> bool:
        """Whether the first level is the image itself."""
        return len(self.channels) > len(self.indices) + self.blanks

    def read(self, net: Any, images: Tensor) -> list[Tensor]:
        """Compute the maps of all levels for normalised pixels [N, C, H, W]."""
        maps: list[Tensor] = net.forward_intermediates(
            images, indices=list(self.indices), stop_early=True, intermediates_only=True
        )
        height, width = images.shape[2:]
        blanks = [
            images.new_empty(len(images), 0, height >> level, width >> level)
            for level in range(1, 1 + self.blanks)
        ]
        return [*([images] if self.has_image else []), *blanks, *maps]


class Encoder(Backbone):
    """A net of timm that gives maps.

    Args:
        net: It has `forward_intermediates`.
        levels: What is read of it.
        spec: How its weights expect pixels.
        origin: Where its first weights came from.
    """

    def __init__(
        self, net: nn.Module, levels: Levels, spec: InputSpec, origin: WeightsOrigin
    ) -> None:
        super().__init__(net, levels.channels[-1], spec, origin)
        self.levels = levels

    def forward(self, images: Tensor) -> Any:
        """Turn normalised pixels [N, C, H, W] into a list of maps, as `Levels.read` does."""
        return self.levels.read(self.net, images)


def build_encoder(
    name: str,
    *,
    channels: int,
    image_size: tuple[int, int],
    depth: int,
    copy_weights: bool = False,
    weights: str = IMAGENET,
    directory: Path = Path(),
) -> Encoder:
    """Build an encoder with the weights that were asked for.

    Args:
        name: A Keras name in any case, or a timm name.
        channels: Of the images.
        image_size: Height and width, pixels; nets that are built for one size see it rounded up
            to what can be halved so often.
        depth: How often the maps are halved.
        copy_weights: How other channels than three begin; see `channels.adapt_channels`.
        weights: "imagenet", "none", or the path of a file.
        directory: Where relative paths start: the config's folder.

    Raises:
        ConfigError: If the name is unknown, or the net gives no such maps.
        DataError: If the weights are not to be had or do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    known = None if backbones.find(name) else timm_name(name)
    if known is None:
        raise ConfigError([unknown(name, key="backbone")])
    height, width = (-(-side // 2**depth) * 2**depth for side in image_size)
    facts, options = pretrained_facts(known), net_options(known, height, width)
    spec = input_spec(
        facts.get("mean", (0.5,)),
        facts.get("std", (0.5,)),
        facts.get("interpolation", "bicubic"),
        channels=channels,
        copy_weights=copy_weights and weights != NONE,
    )
    if weights == NONE:
        net, origin = timm.create_model(known, in_chans=channels, **options), WeightsOrigin()
    else:
        found = find_weights(known, weights, directory)
        origin = found.origin
        net = load_pretrained(
            known, found, in_channels=channels, copy_weights=copy_weights, options=options
        )
    levels = _levels_of(net, name, channels, depth)
    training = net.training
    drop_unused(net.eval(), levels.read, torch.zeros(1, channels, height, width))
    net.train(training)
    return Encoder(net, levels, spec, origin)


def _levels_of(net: Any, name: str, channels: int, depth: int) -> Levels:
    """Find the maps of a net that are half, a quarter and so on as high and wide as the image."""
    infos: Sequence[dict[str, Any]] = list(getattr(net, "feature_info", []))
    strides = [info["reduction"] for info in infos]
    first = strides[0].bit_length() - 1 if strides else 0
    wanted = [1 << level for level in range(first, depth + 1)]
    if not hasattr(net, "forward_intermediates") or strides[: len(wanted)] != wanted or first > 2:
        message = f"backbone: expected a net with maps at half the size, and so on, got {name!r}"
        hint = "convolutional nets have them: ResNet34, EfficientNetB0, convnext_tiny, …"
        raise ConfigError([Problem("config/backbone-maps", "", message, hint)])
    widths = [info["num_chs"] for info in infos[: len(wanted)]]
    blanks = max(0, first - 1)
    own = [channels, *[0] * blanks] if first else []
    return Levels(tuple(range(len(wanted))), blanks, (*own, *widths), 1 << depth)
