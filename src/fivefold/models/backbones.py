"""Backbones: from normalised pixels to one feature vector for each image.

Every net of timm, the Keras names of `names.py`, and users' own nets, behind one contract.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn

from fivefold.core.catalog import Component
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.own_parts import Part, place_of, shape_text
from fivefold.models.channels import InputSpec, input_spec
from fivefold.models.names import arguments_of, backbones, timm_name, unknown
from fivefold.models.origins import WeightsOrigin, read_file
from fivefold.models.state_files import state_differences, without_own_prefix
from fivefold.models.taking import ALL, Reader, Taken, whole
from fivefold.models.trial import as_features, count_features, net_options
from fivefold.models.weights import (
    IMAGENET,
    NONE,
    find_weights,
    load_pretrained,
    no_imagenet,
    pretrained_facts,
)


class Backbone(nn.Module):
    """A net without its last layer.

    Args:
        net: Turns normalised pixels [N, C, H, W] into features [N, D].
        num_features: D.
        spec: How its weights expect pixels.
        origin: Where its first weights came from.
        part: The user's code that it is, if it is one.
        reader: How features are read from the net.

    Attributes:
        stem: What makes images smaller for the net; it is learned, also where the net is frozen.
    """

    def __init__(
        self,
        net: nn.Module,
        num_features: int,
        spec: InputSpec,
        origin: WeightsOrigin,
        part: Part | None = None,
        reader: Reader = whole,
    ) -> None:
        super().__init__()
        self.net = net
        self.num_features = num_features
        self.input_spec = spec
        self.origin = origin
        self._part = part
        self._reader = reader
        self.stem: nn.Module | None = None
        self._digest: tuple[object, str] | None = None
        self._file: tuple[str, str] = ("", "")

    def forward(self, images: Tensor) -> Tensor:
        """Turn normalised pixels [N, C, H, W] into features [N, D].

        Where the head pools they are those of every position [N, D, positions].
        """
        if self.stem is not None:
            images = self.stem(images)
        with self._part.at_work(let_by=is_batch_of_one) if self._part else nullcontext():
            features: Tensor = self._reader(self.net, images)
        return features

    def digest(self) -> str:
        """Compute the SHA-256 of all tensors by name, in hex; again only if one was written to."""
        state = sorted(self.state_dict().items())
        seen = [(name, t.data_ptr(), t._version) for name, t in state]
        if self._digest is None or self._digest[0] != seen:
            self._digest = (seen, _digest_of(state))
        return self._digest[1]

    @property
    def file_sha256(self) -> str:
        """Of the file that these very tensors were written to last; "" where there is none."""
        digest, sha256 = self._file
        return sha256 if digest == self.digest() else ""

    def remember_file(self, sha256: str) -> None:
        """Note the SHA-256 of the file that the tensors were written to."""
        self._file = (self.digest(), sha256)

    def forget_digest(self) -> None:
        """Have the next digest computed anew: for whoever may write past torch's count."""
        self._digest = None


def _digest_of(state: Sequence[tuple[str, Tensor]]) -> str:
    hasher = hashlib.sha256()
    for name, tensor in state:
        hasher.update(f"{name}\x1f{tensor.dtype}\x1f{tuple(tensor.shape)}\x1e".encode())
        plain: Any = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        hasher.update(plain)
    return hasher.hexdigest()


def build_backbone(
    name: str,
    *,
    channels: int = 3,
    taken: Taken = ALL,
    image_size: tuple[int, int],
    copy_weights: bool = False,
    weights: str = IMAGENET,
    directory: Path = Path(),
) -> Backbone:
    """Build a backbone with the weights that were asked for.

    Args:
        name: A user's own net, a Keras name in any case, or a timm name.
        channels: Of the images.
        taken: How its features are pooled, and of which level.
        image_size: Height and width, pixels.
        copy_weights: How other channels than three begin; see `channels.adapt_channels`.
        weights: "imagenet", "none", or the path of a file.
        directory: Where relative paths start: the config's folder.

    Raises:
        ConfigError: If the name is unknown, or the net cannot take these images or this pooling.
        DataError: If the weights are not to be had or do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    own = backbones.find(name)
    if own is not None:
        shape = (*image_size, channels)
        return _build_own(own, shape, taken=taken, weights=weights, directory=directory)
    known = timm_name(name)
    if known is None:
        raise ConfigError([unknown(name)])
    shape = (*image_size, channels)
    facts, options = pretrained_facts(known), net_options(known, *image_size)
    if options:  # it is built for one size, which it may refuse
        count_features(name, known, shape, taken)
    spec = input_spec(
        facts.get("mean", (0.5,)),
        facts.get("std", (0.5,)),
        facts.get("interpolation", "bicubic"),
        channels=channels,
        # Without weights to copy there is nothing that a channel could stand for.
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
    reader, num_features = as_features(net, name, known, shape, taken)
    return Backbone(net, num_features, spec, origin, reader=reader)


def shape_problem(name: str, shape: tuple[int, int, int], where: str = "") -> Problem | None:
    """Say whether a net of timm or the table cannot take images of a shape; reads no weights.

    Args:
        name: A known name.
        shape: Height and width in pixels, and channels.
        where: Of the shape in the config.
    """
    known = timm_name(name) if backbones.find(name) is None else None
    if known is None:
        return None
    try:
        count_features(name, known, shape, ALL, where)
    except ConfigError as error:
        return error.problems[0]
    return None


class Own(NamedTuple):
    """A user's own net.

    Attributes:
        net: The net.
        spec: How it expects pixels.
        origin: Where its first weights came from.
    """

    net: nn.Module
    spec: InputSpec
    origin: WeightsOrigin


def load_own(
    part: Part, arguments: Mapping[str, Any], channels: int, *, weights: str, directory: Path
) -> Own:
    """Make a user's own net, with weights of a file if there is one.

    Args:
        part: The code.
        arguments: What it is called with.
        channels: Of the images.
        weights: "none", or the path of a file.
        directory: Where relative paths start: the config's folder.

    Raises:
        ConfigError: If the code raises, or makes no net; names the user's line.
        DataError: If the weights are not to be had or do not fit.
        UnsafeInputError: If the file of weights could carry code.
    """
    if weights == IMAGENET:
        raise no_imagenet(part.name, [f"{part.name!r} is a net of your own"])
    origin = WeightsOrigin()
    with part.at_work():
        net = part.make(**arguments)
    if not isinstance(net, nn.Module):
        part.refuse_result("a module of torch's", shape_text(net))
    if weights != NONE:
        found = read_file(directory / Path(weights).expanduser())
        tensors, origin = without_own_prefix(found.tensors), found.origin
        differences = state_differences(net, tensors)
        if differences:
            told = "; ".join(differences)
            msg = f"{weights}: expected weights of {part.name!r}, got others: {told}"
            raise DataError(msg, slug="weights/mismatch")
        net.load_state_dict(tensors)
    mean, std = getattr(net, "mean", (0.5,)), getattr(net, "std", (0.5,))
    interpolation = getattr(net, "interpolation", "bicubic")
    return Own(net, input_spec(mean, std, interpolation, channels=channels), origin)


def _build_own(
    component: Component[nn.Module],
    shape: tuple[int, int, int],
    *,
    taken: Taken,
    weights: str,
    directory: Path,
) -> Backbone:
    name = component.name
    if taken.pooling != "avg":
        message = f"pooling: expected 'avg', since {name!r} pools by itself, got {taken.pooling!r}"
        raise ConfigError([Problem("config/pooling", "", message)])
    if taken.cut:
        message = f"cut_levels: expected 0, since {name!r} is a net of your own, got {taken.cut}"
        hint = "leave layers out in the net itself"
        raise ConfigError([Problem("config/cut-levels", "", message, hint)])
    part = Part("backbone", name, component.make, component.facts)
    arguments = arguments_of(component.make, shape)
    net, spec, origin = load_own(part, arguments, shape[2], weights=weights, directory=directory)
    return Backbone(net, _features_of(net, part, shape), spec, origin, part)


def _features_of(net: nn.Module, part: Part, shape: tuple[int, int, int]) -> int:
    height, width, channels = shape
    training = net.training
    with torch.no_grad(), part.at_work():
        features = net.eval()(torch.zeros(2, channels, height, width))
    net.train(training)
    got = tuple(features.shape) if isinstance(features, Tensor) else shape_text(features)
    length = got[1] if isinstance(got, tuple) and len(got) == 2 else 0
    promised = getattr(net, "num_features", length or "num_features")
    if got != (2, promised) or not length:
        message = (
            f"architecture: expected {part.name!r} to turn 2 images into features of shape "
            f"(2, {promised}), got {got}"
        )
        raise ConfigError([Problem("config/backbone-contract", place_of(part.make), message)])
    return length


def is_batch_of_one(error: Exception) -> bool:
    """Tell BatchNorm's refusal, which whoever trains words better."""
    return isinstance(error, ValueError) and "more than 1 value per channel" in str(error)
