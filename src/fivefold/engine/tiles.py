"""Large images in tiles, and their maps put together without seams.

Tiles overlap. In the outer quarters of an overlap, where a tile lacks what lies beyond its edge, it
counts for nothing; in the half between, one tile fades into the next by a raised cosine. Thus a net
whose answer at a pixel depends on no more than a quarter of an overlap around it says of tiles what
it would say of the whole image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.types import AnyArray, Floats, Image

USUAL_OVERLAP = 0.25
"""Of a tile's height and width."""
_MOST = 0.5
_STRIP = 1 << 20
"""Pixels of the whole map at a time, about."""


def overlap_of(tiles: float | bool) -> float | None:  # noqa: FBT001  the user's value
    """Read what a user says of tiles: true is the usual overlap; gives None for no tiles.

    Raises:
        ConfigError: If it is no overlap.
    """
    if tiles is True or tiles is False:
        return USUAL_OVERLAP if tiles else None
    check_overlap(tiles)
    return tiles


def check_overlap(overlap: float) -> None:
    """Refuse what no overlap can be.

    Raises:
        ConfigError: If it is not from 0 to one half.
    """
    if not 0 <= overlap <= _MOST:
        message = f"tiles: expected an overlap from 0 to {_MOST:g} of a tile, got {overlap!r}"
        raise ConfigError([Problem("config/tiles", "", message, f"such as {USUAL_OVERLAP:g}")])


@dataclass(frozen=True)
class Axis:
    """Tiles along one side of an image.

    Attributes:
        length: Of the image in pixels, at least as long as a tile.
        tile: Length of a tile in pixels.
        overlap: Neighbours share at least so many pixels, at most half a tile.
    """

    length: int
    tile: int
    overlap: int

    @cached_property
    def starts(self) -> list[int]:
        """Where tiles begin: the first at 0, the last ends with the image, all evenly apart."""
        rest, step = self.length - self.tile, self.tile - self.overlap
        count = -(-rest // step)
        return [0] if not count else [rest * i // count for i in range(count + 1)]

    @property
    def reach(self) -> int:
        """How far a seam fades to both sides, in pixels."""
        return self.overlap // 4

    def seam(self, i: int) -> int:
        """Say where the seam between tile i and the next one is."""
        return (self.starts[i] + self.tile + self.starts[i + 1]) // 2

    def own(self, i: int) -> tuple[int, int]:
        """Say what a tile decides, its seams included: from the first to behind the last pixel."""
        first = 0 if i == 0 else self.seam(i - 1) - self.reach
        last = self.length if i + 1 == len(self.starts) else self.seam(i) + self.reach
        return first, last

    @cached_property
    def fading(self) -> AnyArray:
        """How much the next tile counts across a seam [2 * reach], from 0 to 1."""
        width = 2 * self.reach
        return (1 - np.cos(np.pi * (np.arange(width) + 0.5) / max(width, 1))) / 2


class Tiling:
    """An image cut into tiles.

    Args:
        size: Height and width of the image, in pixels.
        tile: Height and width of a tile.
        overlap: How much of a tile its neighbours share at least, from 0 to one half.

    Raises:
        ConfigError: If that is no overlap.
    """

    def __init__(self, size: tuple[int, int], tile: tuple[int, int], overlap: float) -> None:
        check_overlap(overlap)
        self.size, self.tile = size, tile
        self._rows, self._columns = (
            Axis(max(whole, part), part, round(overlap * part))
            for whole, part in zip(size, tile, strict=True)
        )

    def __len__(self) -> int:
        return len(self._rows.starts) * len(self._columns.starts)

    def tiles(self, image: Image) -> Iterator[Image]:
        """Cut an image [H, W, C], row by row; one smaller than a tile is mirrored at its edges."""
        height, width = self.tile
        missing = (max(height - image.shape[0], 0), max(width - image.shape[1], 0))
        if any(missing):
            border = (0, missing[0], 0, missing[1])
            mirrored = cv2.copyMakeBorder(image, *border, borderType=cv2.BORDER_REFLECT_101)
            image = np.asarray(mirrored, np.uint8).reshape(*mirrored.shape[:2], image.shape[2])
        for top in self._rows.starts:
            for left in self._columns.starts:
                yield image[top : top + height, left : left + width]

    def join(self, maps: Iterator[Floats]) -> Iterator[Floats]:
        """Put the maps of the tiles together.

        Args:
            maps: Of each tile in the order of `tiles` [K, height, width], 0-1.

        Yields:
            Rows of the whole map from top to bottom [n, W, K].
        """
        rows, before = self._rows, None
        for i, start in enumerate(rows.starts):
            band = self._band(maps)
            first, last = rows.own(i)
            part = band[:, first - start : last - start]
            fade = 2 * rows.reach
            if before is not None and fade:
                part = _faded(before, part, rows.fading[:, None])
            is_last = i + 1 == len(rows.starts)
            done = part if is_last else part[:, : part.shape[1] - fade]
            before = None if is_last else part[:, part.shape[1] - fade :]
            done = done[:, : self.size[0] - first, : self.size[1]]
            step = max(1, _STRIP // self.size[1])
            for top in range(0, done.shape[1], step):
                yield np.ascontiguousarray(np.moveaxis(done[:, top : top + step], 0, 2))

    def _band(self, maps: Iterator[Floats]) -> Floats:
        """Put one row of tiles together [K, height, W]."""
        columns, parts = self._columns, list[Floats]()
        fade = 2 * columns.reach
        for j, start in enumerate(columns.starts):
            first, last = columns.own(j)
            part = next(maps)[:, :, first - start : last - start]
            if j and fade:
                before = parts[-1][:, :, parts[-1].shape[2] - fade :]
                part = _faded_across(before, part, columns.fading)
                parts[-1] = parts[-1][:, :, : parts[-1].shape[2] - fade]
            parts.append(part)
        return np.concatenate(parts, axis=2) if len(parts) > 1 else parts[0]


def _faded(before: Floats, part: Floats, share: AnyArray) -> Floats:
    """Let the first rows of a band [K, h, W] grow out of the last of the one before."""
    fade = len(share)
    seam = _between(before, part[:, :fade], share)
    return np.concatenate([seam, part[:, fade:]], axis=1)


def _faded_across(before: Floats, part: Floats, share: AnyArray) -> Floats:
    """Let the first columns of a tile [K, h, w] grow out of the last of the one before."""
    fade = len(share)
    seam = _between(before, part[:, :, :fade], share)
    return np.concatenate([seam, part[:, :, fade:]], axis=2)


def _between(one: Floats, other: Floats, share: AnyArray) -> Floats:
    """Mix in double precision, so that equal numbers stay as they are, bit by bit."""
    mixed = one + (other.astype(np.float64) - one) * share
    return mixed.astype(np.float32)
