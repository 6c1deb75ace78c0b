"""Encoders: nets of timm that give maps, for what makes masks."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fivefold.core.errors import ConfigError, Problem
from fivefold.models.architectures import VOC
from fivefold.models.backbones import Backbone
from fivefold.models.channels import InputSpec, input_spec
from fivefold.models.maps import DEEPEST, Maps, Wish, find_blocks, find_levels, rounded_up
from fivefold.models.names import backbones, timm_name, unknown
from fivefold.models.origins import Found, WeightsOrigin
from fivefold.models.taking import drop_unused
from fivefold.models.trial import net_options
from fivefold.models.voc import find_voc
from fivefold.models.weights import IMAGENET, NONE, find_weights, load_pretrained, pretrained_facts

_SMALL = (96, 96)
_TORCHVISION = "tv_in1k"
"""timm's tag of what says how nets of torchvision expect pixels."""


class Encoder(Backbone):
    """A net of timm that gives maps.

    Args:
        net: It has `forward_intermediates`.
        maps: What is read of it.
        spec: How its weights expect pixels.
        origin: Where its first weights came from.
    """

    def __init__(self, net: nn.Module, maps: Maps, spec: InputSpec, origin: WeightsOrigin) -> None:
        super().__init__(net, maps.channels[-1], spec, origin)
        self.maps = maps

    def forward(self, images: Tensor) -> Any:
        """Turn normalised pixels [N, C, H, W] into maps, whose sizes are as `maps` says."""
        return self.maps.read(self.net, images)


def build_encoder(
    name: str,
    shape: tuple[int, int, int],
    wish: Wish,
    *,
    copy_weights: bool = False,
    weights: str = IMAGENET,
    directory: Path = Path(),
) -> Encoder:
    """Build an encoder with the weights that were asked for.

    Args:
        name: A Keras name in any case, or a timm name.
        shape: Height and width of the images in pixels, and their channels. A net that is built for
            one size is built for them rounded up to a size that it takes.
        wish: What is wanted of it.
        copy_weights: How other channels than three begin; see `channels.adapt_channels`.
        weights: "imagenet", "pascal_voc" for a net that has them, "none", or the path of a file.
        directory: Where relative paths start: the config's folder.

    Raises:
        ConfigError: If the name is unknown, or the net gives no such maps.
        DataError: If the weights are not to be had or do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    known = None if backbones.find(name) else timm_name(name)
    if known is None:
        raise ConfigError([unknown(name, key="backbone")])
    multiples = _multiples(known, wish)
    options = net_options(known, *rounded_up(shape, multiples[0]))
    wanted = _Wanted(known, shape[2], weights, directory, copy_weights=copy_weights)
    net, origin = _dilated_by_timm(wanted, options, wish) or wanted.build(options)
    training = net.training
    # What maps a net gives shows on small images, unless it is built for one size.
    tried = shape if options else (*_SMALL, shape[2])
    maps = _maps_of(net.eval(), name, tried, wish, multiples)
    drop_unused(net, maps.read, torch.zeros(1, shape[2], *rounded_up(tried, maps.multiple)))
    return Encoder(net.train(training), maps, wanted.input_spec, origin)


@dataclass(frozen=True)
class _Wanted:
    """A net of timm with weights.

    Attributes:
        known: timm's name of it.
        channels: Of the images.
        weights: As in `build_encoder`.
        directory: The same.
        copy_weights: The same.
    """

    known: str
    channels: int
    weights: str
    directory: Path
    copy_weights: bool

    @property
    def tagged(self) -> str:
        """Timm's name of the net whose weights they are."""
        return f"{self.known}.{_TORCHVISION}" if self.weights == VOC else self.known

    @property
    def input_spec(self) -> InputSpec:
        """How the weights expect pixels."""
        facts = pretrained_facts(self.tagged)
        return input_spec(
            facts.get("mean", (0.5,)),
            facts.get("std", (0.5,)),
            facts.get("interpolation", "bicubic"),
            channels=self.channels,
            copy_weights=self.copy_weights and self.weights != NONE,
        )

    @cached_property
    def found(self) -> Found:
        """The weights."""
        if self.weights == VOC:
            return find_voc(self.known, self.directory)
        return find_weights(self.known, self.weights, self.directory)

    def build(self, options: dict[str, Any]) -> tuple[nn.Module, WeightsOrigin]:
        """Build it with options of timm's."""
        if self.weights == NONE:
            net: nn.Module = timm.create_model(self.known, in_chans=self.channels, **options)
            return net, WeightsOrigin()
        net = load_pretrained(
            self.tagged,
            self.found,
            in_channels=self.channels,
            copy_weights=self.copy_weights,
            options=options,
        )
        return net, self.found.origin


def _dilated_by_timm(
    wanted: _Wanted, options: dict[str, Any], wish: Wish
) -> tuple[nn.Module, WeightsOrigin] | None:
    """Build a net that timm itself can dilate, if the architecture wants that; see `dilate`."""
    if wish.blocks or wish.stride == 1 << wish.depth:
        return None
    state = torch.random.get_rng_state()
    try:
        return wanted.build({**options, "output_stride": wish.stride})
    except (AssertionError, TypeError):  # the net has no such option, or not with this stride
        torch.random.set_rng_state(state)
        return None


def _multiples(known: str, wish: Wish) -> list[int]:
    """Say what the sides of images may be rounded up to, the best first."""
    if wish.blocks:
        with torch.device("meta"):
            infos = getattr(timm.create_model(known), "feature_info", [])
        patch = infos[0]["reduction"] if infos else DEEPEST
        return [-(-DEEPEST // patch) * patch]
    is_fixed = bool(net_options(known, DEEPEST, DEEPEST))
    return [DEEPEST] if is_fixed or wish.stride == DEEPEST else [wish.stride, DEEPEST]


def _maps_of(
    net: nn.Module, name: str, shape: tuple[int, int, int], wish: Wish, multiples: list[int]
) -> Maps:
    if wish.blocks:
        blocks = find_blocks(net, wish, multiples[0])
        if blocks is None:
            message = f"backbone: expected a vision transformer with enough blocks, got {name!r}"
            hint = "for example vit_small_patch16_224"
            raise ConfigError([Problem("config/backbone-maps", "", message, hint)])
        return blocks
    levels = find_levels(net, shape, wish, multiples)
    if levels is not None:
        return levels
    if wish.output_stride:
        message = (
            f"backbone: expected a net that can be dilated to maps of 1 pixel for "
            f"{wish.output_stride}, got {name!r}"
        )
        hint = "ResNet, EfficientNet, MobileNet, DenseNet and Xception can, among others"
    else:
        message = f"backbone: expected a net with maps at half the size, and so on, got {name!r}"
        hint = "convolutional nets have them: ResNet34, EfficientNetB0, convnext_tiny, …"
    raise ConfigError([Problem("config/backbone-maps", "", message, hint)])
