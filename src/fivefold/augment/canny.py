"""Edges as Canny's detector finds them, in two random colours."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Change, Pixels
from fivefold.augment.draws import Part, Values, draw, draw_whole, whole_between
from fivefold.augment.per_channel import mixed, new_seed
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Kernel = Annotated[Values, whole_between(3, 7)]


def _as_thresholds(value: Any) -> Any:
    pair = value if isinstance(value, list) and len(value) == 2 else []
    for item in pair:
        numbers = item if isinstance(item, list) else [item]
        if not numbers or not all(
            isinstance(n, int | float) and not isinstance(n, bool) and n >= 0 for n in numbers
        ):
            pair = []
    if not pair:
        msg = "[low, high], each a number of at least 0 or a range [a, b]"
        raise ValueError(msg)
    return value


Thresholds: TypeAlias = Annotated[list[Values], BeforeValidator(_as_thresholds)]


@augmenters.add(name="Canny")
def canny(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Part = [0.0, 1.0],  # noqa: B006  read only
    hysteresis_thresholds: Thresholds = [[60, 140], [160, 240]],  # noqa: B006  read only
    sobel_kernel_size: Kernel = [3, 7],  # noqa: B006  read only
) -> Change:
    """Blend with the picture of edges that Canny's detector finds, in two random colours.

    Names, options and defaults are those of imgaug 0.3, but for the choice of colours. Edges are
    sought in the first three channels together, in a single one, or in the first of two.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: How much of the picture of edges is taken, 0-1.
        hysteresis_thresholds: Gradient from which an edge goes on, and from which it begins.
        sobel_kernel_size: Side of the square that gradients are taken in: 3, 5 or 7 pixels; an
            even one that was drawn shrinks by 1.
    """
    part = draw(rng, alpha)
    limits = sorted(draw(rng, values) for values in hysteresis_thresholds)
    side = int(draw_whole(rng, sobel_kernel_size))
    side -= 1 - side % 2
    seed = new_seed(rng)
    if part == 0:
        return NOTHING

    def change(image: Image) -> Image:
        channels = image.shape[2]
        seen = np.ascontiguousarray(image[..., :3] if channels >= 3 else image[..., 0])
        edges = cv2.Canny(seen, limits[0], limits[1], apertureSize=side) > 0
        of_edges, of_others = np.random.default_rng(seed).integers(0, 256, (2, channels), np.uint8)
        return mixed(image, np.where(edges[..., None], of_edges, of_others), part)

    return Pixels(change)
