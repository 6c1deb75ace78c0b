"""Augmenters that show others only some channels, or the colours of another space.

Names, options and defaults are those of imgaug 0.3, where they could not be written in a YAML.
"""

from functools import partial
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import (
    Both,
    Change,
    Pixels,
    change_image,
    change_mask,
    fuse,
    size_after,
)
from fivefold.augment.children import ChildrenOption
from fivefold.augment.per_channel import as_bytes, channels_within, on_colours
from fivefold.augment.preprocess import resize
from fivefold.augment.spaces import Space, convert, from_hue_saturation, to_hue_saturation
from fivefold.core.types import Image


def _as_channels(value: Any) -> Any:
    numbers = value if isinstance(value, list) else [value]
    whole = [isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers]
    if value is not None and not (whole and all(whole)):
        msg = "a channel's number from 0, a list of them, or nothing for all"
        raise ValueError(msg)
    return None if value is None else numbers


Channels = Annotated[list[int] | None, BeforeValidator(_as_channels)]


@augmenters.add(name="WithChannels", hides_mask=True)
def with_channels(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    channels: Channels = None,
    children: ChildrenOption,
) -> Change:
    """Apply augmenters to some channels alone; a mask stays as it is.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        channels: Which, from 0; default all.
        children: The augmenters.
    """
    changes = fuse(children.draw(rng, height, width))

    def change(image: Image) -> Image:
        rows, columns, count = image.shape
        taken = channels_within(channels, count)
        part = change_image(np.ascontiguousarray(image[..., taken]), changes)
        changed = image.copy()
        changed[..., taken] = resize(part, rows, columns)
        return changed

    return Pixels(change)


@augmenters.add(name="WithColorspace", colour=True, hides_mask=True)
def with_colorspace(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    to_colorspace: Space,
    from_colorspace: Space = "RGB",
    children: ChildrenOption,
) -> Change:
    """Apply augmenters to the first three channels as another colour space writes them.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        to_colorspace: What the augmenters see, such as `HSV`.
        from_colorspace: What the image is written in.
        children: The augmenters; they see all channels.
    """
    drawn = children.draw(rng, height, width)
    changes = fuse(drawn)
    there = on_colours(partial(convert, origin=from_colorspace, to=to_colorspace))
    back = on_colours(partial(convert, origin=to_colorspace, to=from_colorspace))
    return Both(
        lambda image: back(change_image(there(image), changes)),
        lambda mask: change_mask(mask, changes),
        size_after(drawn, (height, width)),
    )


@augmenters.add(
    name="WithHueAndSaturation", colour=True, children="children", shows=2, hides_mask=True
)
def with_hue_and_saturation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    children: ChildrenOption,
    from_colorspace: Space = "RGB",
) -> Change:
    """Apply augmenters to an image of two channels, hue and saturation; a mask stays as it is.

    Both are 0-255 there, and end there: `AddToHue` goes round.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        children: The augmenters.
        from_colorspace: What the image is written in.
    """
    changes = fuse(children.draw(rng, height, width))

    def change(image: Image) -> Image:
        hsv = to_hue_saturation(convert(image, from_colorspace, "RGB"))
        before = np.ascontiguousarray(as_bytes(hsv[..., :2]))
        after = resize(change_image(before, changes), *image.shape[:2])
        # What no augmenter touched keeps the digits behind the point.
        hsv[..., :2] = np.where(after == before, hsv[..., :2], after)
        return convert(as_bytes(from_hue_saturation(hsv)), "RGB", from_colorspace)

    return Pixels(on_colours(change))
