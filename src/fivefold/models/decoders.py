"""Decoders: from an encoder's maps to logits of masks, as segmentation-models-pytorch has them."""

from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from fivefold.core.types import Head
from fivefold.models.encoders import Levels
from fivefold.models.heads import AnyHead


class MaskHead(AnyHead):
    """A decoder and the last layer behind it.

    Args:
        decoder: From a list of maps to one map.
        last: From that map to logits [N, classes, H, W].
        heads: What the classes are.
    """

    def __init__(self, decoder: nn.Module, last: nn.Module, heads: tuple[Head, ...]) -> None:
        super().__init__(heads)
        self.decoder = decoder
        self.last = last

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Turn an encoder's maps into logits [N, classes, H, W]."""
        logits: Tensor = self.last(self.decoder(maps))
        return logits


def build_mask_head(
    architecture: str, options: Mapping[str, Any], levels: Levels, heads: tuple[Head, ...]
) -> MaskHead:
    """Build the part of an architecture that stands behind its encoder.

    Args:
        architecture: Its name in `core.segmenters`.
        options: By the names of its parameters.
        levels: What the encoder gives.
        heads: What the classes are: exactly one head.
    """
    make: Any = getattr(smp, architecture)
    net = make(
        encoder_name=_stand_in(levels),
        encoder_weights=None,
        in_channels=levels.channels[0],
        classes=heads[0].num_classes,
        activation=None,
        **options,
    )
    return MaskHead(net.decoder, net.segmentation_head, heads)


class _StandIn(nn.Module):
    """Says what maps there will be, so that an architecture can be built for them.

    Args:
        out_channels: Of every level.
        depth: How many levels the architecture wants.
        output_stride: The one it wants.
    """

    def __init__(self, out_channels: list[int], depth: int, output_stride: int) -> None:
        super().__init__()
        self.out_channels = out_channels[: depth + 1]
        self.output_stride = output_stride

    def set_in_channels(self, in_channels: int, pretrained: bool) -> None:  # noqa: FBT001  smp's
        """Do nothing: the encoder is built for its images already."""

    def make_dilated(self, output_stride: int) -> None:
        """Do nothing: the encoder is dilated already."""


def _stand_in(levels: Levels) -> str:
    """Let the package know an encoder with these maps by a name: its own way to add one."""
    name = "fivefold-" + "-".join(map(str, levels.channels))
    encoders[name] = {
        "encoder": _StandIn,
        "pretrained_settings": {},
        "params": {"out_channels": list(levels.channels)},
    }
    return name
