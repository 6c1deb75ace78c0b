"""Which maps are read of a net of timm, for architectures that decode them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from fivefold.models.dilation import dilate, pad_evenly, unpad

DEEPEST = 32
"""How many pixels of an image, along a side, are one of the last map of a usual net."""

# What nets raise for a size that they cannot take.
_REFUSALS = (AssertionError, IndexError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Wish:
    """What an architecture wants of its encoder.

    Attributes:
        depth: How often maps are halved; of a transformer how many blocks are decoded.
        output_stride: Pixels of the image that are one of the last map; 0: as `depth` has it.
        blocks: Whether it decodes the blocks of a transformer whose maps are all of one size.
        indices: Which blocks; () takes evenly spread ones.
    """

    depth: int
    output_stride: int = 0
    blocks: bool = False
    indices: tuple[int, ...] = ()

    @property
    def stride(self) -> int:
        """Pixels of the image that are one of the last map."""
        return min(self.output_stride or DEEPEST, 1 << self.depth)


class Maps(Protocol):
    """Which maps are read of a net."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Of every level."""

    @property
    def multiple(self) -> int:
        """What sides of images must be multiples of, in pixels."""

    @property
    def exact(self) -> bool:
        """Whether the net's own maps are as large as they are read."""

    def read(self, net: Any, images: Tensor) -> Any:
        """Compute the maps for normalised pixels [N, C, H, W]."""

    def empty(self, height: int, width: int) -> Any:
        """Make what `read` gives for one image of a size, all zeros."""


@dataclass(frozen=True)
class Levels:
    """Maps that are half as high and wide from level to level.

    Attributes:
        indices: Which of those that `forward_intermediates` gives.
        blanks: Levels between the image and the first of these maps that the net does not have:
            they have no channels.
        channels: Of every level, the image or what is as large first.
        stride: How many pixels of the image are one of the last map, along each side.
        multiple: What sides of images must be multiples of, in pixels.
        exact: Whether the net's maps are as large as their levels; else they are made so.
    """

    indices: tuple[int, ...]
    blanks: int
    channels: tuple[int, ...]
    stride: int
    multiple: int = DEEPEST
    exact: bool = True

    @property
    def has_image(self) -> bool:
        """Whether the first level is the image itself."""
        return len(self.channels) > len(self.indices) + self.blanks

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Say how high and wide the map of each level is, for an image of a size."""
        strides = [min(1 << level, self.stride) for level in range(len(self.channels))]
        return [(height // stride, width // stride) for stride in strides]

    def read(self, net: Any, images: Tensor) -> list[Tensor]:
        """Compute the maps of all levels, a list, for normalised pixels [N, C, H, W]."""
        maps: list[Tensor] = net.forward_intermediates(
            images, indices=list(self.indices), stop_early=True, intermediates_only=True
        )
        sizes = self.sizes(*images.shape[2:])
        blanks = [images.new_empty(len(images), 0, *size) for size in sizes[1 : 1 + self.blanks]]
        if not self.exact:
            own = sizes[-len(maps) :]
            maps = [_resized(level, size) for level, size in zip(maps, own, strict=True)]
        return [*([images] if self.has_image else []), *blanks, *maps]

    def empty(self, height: int, width: int) -> list[Tensor]:
        """Make what `read` gives for one image of a size, all zeros."""
        pairs = zip(self.channels, self.sizes(height, width), strict=True)
        return [torch.zeros(1, wide, *size) for wide, size in pairs]


@dataclass(frozen=True)
class Blocks:
    """Maps of one size: those of some blocks of a transformer, and its tokens beside them.

    Attributes:
        indices: Which blocks.
        channels: Of each.
        patch: The side of a patch, in pixels.
        multiple: What sides of images must be multiples of, in pixels.
        tokens: How many there are beside those of the patches.
    """

    indices: tuple[int, ...]
    channels: tuple[int, ...]
    patch: int
    multiple: int
    tokens: int
    exact: bool = True

    def read(self, net: Any, images: Tensor) -> tuple[list[Tensor], list[Tensor | None]]:
        """Compute maps [N, D, H / patch, W / patch], and tokens [N, tokens, D] or nothing."""
        found = net.forward_intermediates(
            images,
            indices=list(self.indices),
            intermediates_only=True,
            return_prefix_tokens=self.tokens > 0,
        )
        if not self.tokens:
            return found, [None] * len(found)
        return [pair[0] for pair in found], [pair[1] for pair in found]

    def empty(self, height: int, width: int) -> tuple[list[Tensor], list[Tensor | None]]:
        """Make what `read` gives for one image of a size, all zeros."""
        size = height // self.patch, width // self.patch
        maps = [torch.zeros(1, wide, *size) for wide in self.channels]
        tokens = [torch.zeros(1, self.tokens, wide) for wide in self.channels]
        return maps, [*tokens] if self.tokens else [None] * len(maps)


def _resized(level: Tensor, size: tuple[int, int]) -> Tensor:
    return (
        level if level.shape[2:] == size else functional.interpolate(level, size, mode="bilinear")
    )


def rounded_up(shape: Sequence[int], multiple: int) -> tuple[int, int]:
    """Round height and width up to a multiple."""
    height, width = (-(-side // multiple) * multiple for side in shape[:2])
    return height, width


def find_levels(
    net: Any, shape: tuple[int, int, int], wish: Wish, multiples: Sequence[int]
) -> Levels | None:
    """Find the maps of a net that are half, a quarter and so on as high and wide as the image.

    Changes the net in place so that it gives them.

    Args:
        net: Of timm, in evaluation.
        shape: Height and width of images in pixels, and their channels.
        wish: What is wanted of it.
        multiples: What the sides of images may be rounded up to, the best first.

    Returns:
        None if the net has no such maps.
    """
    levels = _told_levels(net, shape[2], wish)
    if levels is None:
        return None
    whole = torch.zeros(1, shape[2], *rounded_up(shape, DEEPEST))
    try:
        levels = _evened(levels, net, whole)
        if wish.stride < levels.stride:
            dilate(net, wish.stride, whole)
            levels = replace(levels, stride=wish.stride)
    except _REFUSALS:
        return None
    if levels.stride < 1 << wish.depth and not levels.exact:
        return None
    for multiple in multiples:
        chosen = replace(levels, multiple=multiple)
        if _fits(chosen, net, torch.zeros(1, shape[2], *rounded_up(shape, multiple))):
            return chosen
    return None


def find_blocks(net: Any, wish: Wish, multiple: int) -> Blocks | None:
    """Find the blocks of a transformer that are decoded; None if it has no maps of one size."""
    infos: list[dict[str, Any]] = list(getattr(net, "feature_info", []))
    if not hasattr(net, "forward_intermediates") or not infos:
        return None
    count, patch = len(infos), infos[0]["reduction"]
    # Evenly spread, the last block among them.
    indices = wish.indices or tuple((i + 1) * count // wish.depth - 1 for i in range(wish.depth))
    if {info["reduction"] for info in infos} != {patch} or max(indices) >= count:
        return None
    channels = tuple(infos[i]["num_chs"] for i in indices)
    return Blocks(indices, channels, patch, multiple, getattr(net, "num_prefix_tokens", 0))


def _evened(levels: Levels, net: Any, images: Tensor) -> Levels:
    """Let a net's maps be as large as their levels: by padding it, or else by resizing them."""
    if _fits(levels, net, images):
        return levels
    padded = pad_evenly(net)
    if _fits(levels, net, images):
        return levels
    unpad(padded)
    return replace(levels, exact=False)


def _told_levels(net: Any, channels: int, wish: Wish) -> Levels | None:
    """Read in what timm says of a net which maps it gives."""
    infos: list[dict[str, Any]] = list(getattr(net, "feature_info", []))
    strides = [info["reduction"] for info in infos]
    first = strides[0].bit_length() - 1 if strides else 0
    halved = [1 << level for level in range(first, wish.depth + 1)]
    dilated = [min(stride, wish.stride) for stride in halved]
    told = strides[: len(halved)]
    if not hasattr(net, "forward_intermediates") or told not in (halved, dilated) or first > 2:
        return None
    widths = [info["num_chs"] for info in infos[: len(halved)]]
    blanks = max(0, first - 1)
    own = [channels, *[0] * blanks] if first else []
    return Levels(tuple(range(len(halved))), blanks, (*own, *widths), told[-1])


def _fits(levels: Levels, net: Any, images: Tensor) -> bool:
    """Say whether a net takes images, and each map is as large as its level."""
    try:
        with torch.no_grad():
            maps = levels.read(net, images)
    except _REFUSALS:
        return False
    wanted = zip(levels.channels, levels.sizes(*images.shape[2:]), strict=True)
    return [tuple(m.shape[1:]) for m in maps] == [(wide, *size) for wide, size in wanted]
