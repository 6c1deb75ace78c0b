"""Decoders: from an encoder's maps to logits of masks, as segmentation-models-pytorch has them."""

from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
from segmentation_models_pytorch.base import initialization
from segmentation_models_pytorch.decoders.dpt.decoder import DPTDecoder, DPTSegmentationHead
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.types import Head
from fivefold.models.heads import AnyHead
from fivefold.models.maps import Blocks, Maps


class MaskHead(AnyHead):
    """A decoder and the last layer behind it.

    Args:
        decoder: From maps to one map.
        last: From that map to logits [N, classes, H, W].
        heads: What the classes are.
    """

    def __init__(self, decoder: nn.Module, last: nn.Module, heads: tuple[Head, ...]) -> None:
        super().__init__(heads)
        self.decoder = decoder
        self.last = last

    def forward(self, maps: Any) -> Tensor:
        """Turn an encoder's maps into logits [N, classes, H, W]."""
        return self.answer(self.decode(maps))

    def decode(self, maps: Any) -> Tensor:
        """Turn an encoder's maps, a list of levels or what else it gives, into one map."""
        decoded: Tensor = self.decoder(*maps) if isinstance(maps, tuple) else self.decoder(maps)
        return decoded

    def answer(self, decoded: Tensor) -> Tensor:
        """Turn the decoder's map into logits [N, classes, H, W]."""
        logits: Tensor = self.last(decoded)
        if self._shifted and not self.training:
            return logits + self.prior_shift.view(-1, 1, 1)
        return logits


def build_mask_head(
    architecture: str, arguments: Mapping[str, Any], maps: Maps, heads: tuple[Head, ...]
) -> MaskHead:
    """Build the part of an architecture that stands behind its encoder.

    Args:
        architecture: Its name as the package spells it.
        arguments: Of its class.
        maps: What the encoder gives.
        heads: What the classes are: exactly one head.

    Raises:
        ConfigError: If the package refuses the arguments for these maps.
    """
    if isinstance(maps, Blocks):
        return _dpt_head(arguments, maps, heads)
    make: Any = getattr(smp, architecture)
    try:
        net = make(
            encoder_name=_stand_in(maps),
            encoder_weights=None,
            in_channels=maps.channels[0],
            classes=heads[0].num_classes,
            activation=None,
            **arguments,
        )
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"decoder: expected options that go together and with the backbone, got {reason}"
        raise ConfigError([Problem("config/decoder", "", message)]) from error
    return MaskHead(net.decoder, net.segmentation_head, heads)


def _dpt_head(arguments: Mapping[str, Any], blocks: Blocks, heads: tuple[Head, ...]) -> MaskHead:
    """Put DPT together, which builds its encoder itself where it is asked for as a whole."""
    decoder = DPTDecoder(
        encoder_out_channels=blocks.channels,
        encoder_output_strides=(blocks.patch,) * len(blocks.channels),
        encoder_has_prefix_tokens=blocks.tokens > 0,
        readout=arguments["decoder_readout"] if blocks.tokens else "ignore",
        intermediate_channels=arguments["decoder_intermediate_channels"],
        fusion_channels=arguments["decoder_fusion_channels"],
    )
    last = DPTSegmentationHead(
        in_channels=arguments["decoder_fusion_channels"],
        out_channels=heads[0].num_classes,
        upsampling=2,
    )
    initialization.initialize_decoder(decoder)
    initialization.initialize_head(last)
    return MaskHead(decoder, last, heads)


class _StandIn(nn.Module):
    """Says what maps there will be, so that an architecture can be built for them.

    Args:
        out_channels: Of every level.
        depth: How often the architecture wants maps halved.
        output_stride: As it wants it.
    """

    def __init__(self, out_channels: list[int], depth: int, output_stride: int) -> None:
        super().__init__()
        self.out_channels = out_channels[: depth + 1]
        self.output_stride = output_stride

    def set_in_channels(self, in_channels: int, pretrained: bool) -> None:  # noqa: FBT001  smp's
        """Do nothing: the encoder is built for its images already."""

    def make_dilated(self, output_stride: int) -> None:
        """Do nothing: the encoder is dilated already."""


def _stand_in(maps: Maps) -> str:
    """Let the package know an encoder with these maps by a name: its own way to add one."""
    name = "fivefold-" + "-".join(map(str, maps.channels))
    encoders[name] = {
        "encoder": _StandIn,
        "pretrained_settings": {},
        "params": {"out_channels": list(maps.channels)},
    }
    return name
