"""What an augmenter decides to do to an image, and doing it.

An augmenter is `def name(rng, height, width, *, options) -> Change`. It draws everything at once
and says what is to be done; only then are pixels touched, neighbours of one kind together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fivefold.augment.box import as_pixels
from fivefold.augment.warp import DARK, Border, Maps, Warp, apply, fuse_two, of_mask, remap
from fivefold.core.errors import DataError
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Size: TypeAlias = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True, eq=False)
class Field:
    """Pixels that move each in its own way; the mask moves with them.

    Attributes:
        make_maps: From height and width to where each pixel of the output lies in the input: x and
            y, each float32 [H, W].
        border: How pixels between and beyond the known ones are made; see `of_mask` for masks.
    """

    make_maps: Callable[[int, int], Maps]
    border: Border = DARK


@dataclass(frozen=True, eq=False)
class Pixels:
    """Other values at the same places; a mask stays as it is.

    Attributes:
        change: From pixels [H, W, C], of any number of channels, to new ones of that shape and
            type. It may not write into what it is given. What is random for each pixel comes from
            a generator made in here, of a seed that was drawn before.
    """

    change: Callable[[Image], Image]


@dataclass(frozen=True, eq=False)
class Table:
    """Other values that depend on the old value alone; a mask stays as it is.

    Neighbours are composed into one table; to the bit what one after the other gives, since each
    is rounded in its turn.

    Attributes:
        make: From the number of channels to the new value of each old one: uint8 [256], the same
            for all channels, or [C, 256].
    """

    make: Callable[[int], Image]


@dataclass(frozen=True, eq=False)
class Both:
    """What an image and its mask need each its own function for, such as cutting and padding.

    Attributes:
        image: From pixels [H, W, C] to new ones.
        mask: The same for a mask [H, W] or [H, W, M].
        size: The new height and width; None if they stay.
    """

    image: Callable[[Image], Image]
    mask: Callable[[Image], Image]
    size: Size | None = None


@dataclass(frozen=True, eq=False)
class WithMask:
    """What looks at the image and at its mask.

    Attributes:
        name: The augmenter, for messages.
        change: From pixels [H, W, C] and a mask [H, W] or [H, W, M] to new ones of those shapes.
    """

    name: str
    change: Callable[[Image, Image], tuple[Image, Image]]


Single: TypeAlias = Warp | Field | Pixels | Table | Both | WithMask
Change: TypeAlias = "Single | tuple[Change, ...]"
"""One change, or several in order."""

Step: TypeAlias = Callable[[np.random.Generator, int, int], Change]
"""Draws one change for an image of a height and a width."""

NOTHING: Change = ()


def draw_changes(
    steps: Iterable[Step], rng: np.random.Generator, height: int, width: int
) -> tuple[Change, ...]:
    """Draw the changes of several augmenters, each for the size that the one before leaves."""
    drawn = []
    for step in steps:
        change = step(rng, height, width)
        height, width = size_after(change, (height, width))
        drawn.append(change)
    return tuple(drawn)


def size_after(change: Change, size: Size) -> Size:
    """Say how high and wide an image is after a change."""
    if isinstance(change, tuple):
        for part in change:
            size = size_after(part, size)
    return (change.size or size) if isinstance(change, Both) else size


def fuse(change: Change) -> list[Single]:
    """Write a change as single ones, neighbouring warps and tables each as one where they can be.

    Pixels are then interpolated once, and what one warp moves out another may bring back.
    """
    fused: list[Single] = []
    for part in _flat(change):
        joined = _joined(fused[-1], part) if fused else None
        if joined is None:
            fused.append(part)
        else:
            fused[-1] = joined
    return fused


def change_image(image: Image, changes: Sequence[Single]) -> Image:
    """Change pixels [H, W, C]; the very same array where nothing changes."""
    return change_all(image, None, changes)[0]


def change_mask(mask: Image, changes: Sequence[Single]) -> Image:
    """Change a mask [H, W] or [H, W, M] as its image is changed; no values are new to it but 0.

    What looks at the image too is left out.
    """
    for change in changes:
        mask = _changed_mask(mask, change)
    return mask


def change_all(
    image: Image, mask: Image | None, changes: Sequence[Single]
) -> tuple[Image, Image | None]:
    """Change an image and its mask, if it has one, together.

    Raises:
        DataError: If there is no mask and a change needs one.
    """
    for change in changes:
        if isinstance(change, WithMask):
            if mask is None:
                msg = f"{change.name}: expected a mask beside every image, got none"
                raise DataError(msg, hint="leave the augmenter out", slug="data/no-mask")
            image, mask = change.change(image, mask)
            continue
        image = _changed(image, change)
        mask = None if mask is None else _changed_mask(mask, change)
    return image, mask


def _changed_mask(mask: Image, change: Single) -> Image:
    if isinstance(change, Warp):
        return apply(mask, Warp(change.matrix, of_mask(change.border or DARK)))
    if isinstance(change, Field):
        return remap(mask, change.make_maps(*mask.shape[:2]), of_mask(change.border))
    return change.mask(mask) if isinstance(change, Both) else mask


def _changed(image: Image, change: "Warp | Field | Pixels | Table | Both") -> Image:
    if isinstance(change, Warp):
        return apply(image, change)
    if isinstance(change, Field):
        return remap(image, change.make_maps(*image.shape[:2]), change.border)
    if isinstance(change, Table):
        return look_up(image, change.make(image.shape[2]))
    return change.image(image) if isinstance(change, Both) else change.change(image)


def look_up(image: Image, table: Image) -> Image:
    """Replace values [H, W, C] by those of a table [256] or [C, 256]."""
    channels = image.shape[2]
    of_each = table if table.ndim == 1 else np.ascontiguousarray(table.T)[None]
    return as_pixels(cv2.LUT(image, of_each)).reshape(*image.shape[:2], channels)


def _flat(change: Change) -> Iterator[Single]:
    if isinstance(change, tuple):
        for part in change:
            yield from _flat(part)
    else:
        yield change


def _joined(first: Single, second: Single) -> Single | None:
    if isinstance(first, Warp) and isinstance(second, Warp):
        return fuse_two(first, second)
    if isinstance(first, Table) and isinstance(second, Table):
        return Table(partial(_composed, first, second))
    return None


def _composed(first: Table, second: Table, channels: int) -> NDArray[np.uint8]:
    before, after = first.make(channels), second.make(channels)
    if after.ndim == 1:
        return after[before]
    return np.take_along_axis(after, np.broadcast_to(before, after.shape), axis=1)
