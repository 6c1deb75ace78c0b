"""Networks of users' own that make masks: from normalised pixels to logits of every pixel."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.own_parts import Part, shape_text
from fivefold.core.segmenters import GIVEN
from fivefold.models.backbones import is_batch_of_one, load_own
from fivefold.models.channels import InputSpec
from fivefold.models.encoders import Encoder
from fivefold.models.origins import WeightsOrigin


@dataclass(frozen=True)
class Logits:
    """What is read of a network that makes masks by itself: `maps.Maps` of one level.

    Attributes:
        channels: The classes.
        multiple: As in `Maps`; the network takes `shape` as it is.
        exact: As in `Maps`.
    """

    channels: tuple[int, ...]
    multiple: int = 1
    exact: bool = True

    def read(self, net: Any, images: Tensor) -> Any:
        """Compute logits [N, classes, H, W] for normalised pixels [N, C, H, W]."""
        return net(images)

    def empty(self, height: int, width: int) -> Tensor:
        """Make what `read` gives for one image of a size, all zeros."""
        return torch.zeros(1, *self.channels, height, width)


class MaskNet(Encoder):
    """A user's own network, whose logits are held against what they have to be.

    Args:
        net: From normalised pixels [N, C, H, W] to logits [N, classes, H, W].
        classes: How many there are.
        spec: How it expects pixels.
        origin: Where its first weights came from.
        part: The code that it is.
    """

    def __init__(
        self, net: nn.Module, classes: int, spec: InputSpec, origin: WeightsOrigin, part: Part
    ) -> None:
        super().__init__(net, Logits((classes,)), spec, origin)
        self._own = part

    def forward(self, images: Tensor) -> Tensor:
        """Turn normalised pixels [N, C, H, W] into logits [N, classes, H, W].

        Raises:
            ConfigError: If the network raises, or gives something else; names the user's line.
        """
        with self._own.at_work(let_by=is_batch_of_one):
            logits = super().forward(images)
        shape = (len(images), *self.maps.channels, *images.shape[2:])
        if not isinstance(logits, Tensor) or tuple(logits.shape) != shape:
            self._own.refuse_result(f"logits of shape {shape}", shape_text(logits))
        if not logits.is_floating_point():
            self._own.refuse_result("logits of a floating-point type", shape_text(logits))
        return logits


def build_mask_net(
    component: Component[Any],
    decoder: Mapping[str, Any],
    shape: tuple[int, int, int],
    classes: int,
    *,
    weights: str,
    directory: Path = Path(),
) -> MaskNet:
    """Build a user's own network, and try it on empty images.

    Args:
        component: Of `own_segmenters`.
        decoder: Its options, as a config has them.
        shape: Height and width of what it sees in pixels, and channels.
        classes: How many there are.
        weights: "none", or the path of a file.
        directory: Where relative paths start: the config's folder.

    Raises:
        ConfigError: If the code raises, or gives something else than such a network; or if it has
            no such options.
        DataError: If the weights do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    options, complaints = component.check(decoder)
    if complaints:  # saved with a network that has become another one since
        found = [
            Problem("config/decoder", "", f"{complaint.path[0]}: {complaint.message}")
            for complaint in complaints
        ]
        raise ConfigError(found)
    height, width, channels = shape
    known = dict(zip(GIVEN, (channels, classes, classes, shape), strict=True))
    takes = inspect.signature(component.make).parameters
    given = {name: value for name, value in known.items() if name in takes}
    part = Part("architecture", component.name, component.make, component.facts)
    own = load_own(part, {**given, **options}, channels, weights=weights, directory=directory)
    net = MaskNet(own.net, classes, own.spec, own.origin, part)
    training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(2, channels, height, width))
    return net.train(training)
