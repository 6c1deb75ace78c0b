"""Users' own augmenters: what they give is looked at before it goes on to the network."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fivefold.augment.changes import Both, Change, Field, Pixels, Size, Table, WithMask
from fivefold.augment.warp import Maps, Warp
from fivefold.core.own_parts import Part, shape_text
from fivefold.core.types import Image


def guarded(part: Part) -> Callable[..., Change]:
    """Make an augmenter that tells what is wrong with a user's one, now and when pixels change."""

    def augmenter(rng: np.random.Generator, height: int, width: int, **options: Any) -> Change:
        with part.at_work():
            change = part.make(rng, height, width, **options)
        return _guarded_change(part, change)

    return augmenter


def _guarded_change(part: Part, change: Any) -> Change:
    if isinstance(change, tuple):
        return tuple(_guarded_change(part, inner) for inner in change)
    wrap = _WRAPS.get(type(change))
    if wrap is None:
        kinds = "Warp, Field, Pixels, Table, Both, WithMask, or a tuple of these"
        part.refuse_result(f"what is to be done ({kinds})", shape_text(change))
    return wrap(part, change)


def _of_both(part: Part, change: Both) -> Both:
    image, mask = (_of_image(part, f, change.size) for f in (change.image, change.mask))
    return replace(change, image=image, mask=mask)


def _of_image(
    part: Part, change: Callable[[Image], Image], size: Size | None
) -> Callable[[Image], Image]:
    def changed(image: Image) -> Image:
        with part.at_work():
            found = change(image)
        return _pixels(part, found, (*(size or image.shape[:2]), *image.shape[2:]))

    return changed


def _of_table(part: Part, make: Callable[[int], Image]) -> Callable[[int], Image]:
    def made(channels: int) -> Image:
        with part.at_work():
            table = make(channels)
        wanted = (256,) if np.ndim(table) == 1 else (channels, 256)
        return _pixels(part, table, wanted)

    return made


def _of_maps(part: Part, make_maps: Callable[[int, int], Maps]) -> Callable[[int, int], Maps]:
    def made(height: int, width: int) -> Maps:
        with part.at_work():
            maps = make_maps(height, width)
        wanted = [((height, width), np.float32)] * 2
        if [(getattr(m, "shape", ()), getattr(m, "dtype", None)) for m in maps] != wanted:
            got = " and ".join(map(shape_text, maps))
            part.refuse_result(f"x and y, each float32 of shape {(height, width)}", got)
        return maps

    return made


def _of_pair(
    part: Part, change: Callable[[Image, Image], tuple[Image, Image]]
) -> Callable[[Image, Image], tuple[Image, Image]]:
    def changed(image: Image, mask: Image) -> tuple[Image, Image]:
        with part.at_work():
            new_image, new_mask = change(image, mask)
        return _pixels(part, new_image, image.shape), _pixels(part, new_mask, mask.shape)

    return changed


def _pixels(part: Part, found: Any, shape: tuple[int, ...]) -> Image:
    if not isinstance(found, np.ndarray) or found.dtype != np.uint8 or found.shape != shape:
        part.refuse_result(f"uint8 pixels of shape {shape}", shape_text(found))
    return np.ascontiguousarray(found)


_WRAPS: Mapping[type, Callable[[Part, Any], Change]] = {
    Warp: lambda _, change: change,
    Pixels: lambda part, change: replace(change, change=_of_image(part, change.change, None)),
    Table: lambda part, change: replace(change, make=_of_table(part, change.make)),
    Field: lambda part, change: replace(change, make_maps=_of_maps(part, change.make_maps)),
    Both: _of_both,
    WithMask: lambda part, change: replace(change, change=_of_pair(part, change.change)),
}
"""What each kind of change holds of the user's code is guarded too: it runs later."""
