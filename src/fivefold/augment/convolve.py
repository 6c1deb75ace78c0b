"""Augmenters that weigh each pixel with its neighbours; beyond the edge the image is mirrored.

Names, options, defaults and matrices are those of imgaug 0.3. A matrix is laid over the image as
it is written, not turned round.
"""

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.draws import Number, Part, draw
from fivefold.augment.warp import by_channels
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")


_SAME = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
_EDGES = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32)


def _as_matrix(value: Any) -> Any:
    rows = value if isinstance(value, list) else []
    lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
    cells = [cell for row in rows if isinstance(row, list) for cell in row]
    plain = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)
    if len(lengths) != 1 or 0 in lengths or not plain or not all(map(math.isfinite, cells)):
        msg = "a matrix: a list of rows of numbers, all equally long"
        raise ValueError(msg)
    return value


Matrix = Annotated[list[list[float]], BeforeValidator(_as_matrix)]


@augmenters.add(name="Convolve")
def convolve(rng: np.random.Generator, height: int, width: int, *, matrix: Matrix) -> Change:
    """Replace each pixel by a weighted sum of those around it.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        matrix: The weights, row by row; its middle lies on the pixel.
    """
    return _weighed(np.array(matrix, np.float32))


@augmenters.add(name="Sharpen")
def sharpen(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Part = 0.0,
    lightness: Number = 1.0,
) -> Change:
    """Sharpen by -1 around 8 + lightness.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: How much of the sharpened image is taken, 0-1.
        lightness: 1 keeps the brightness of what is sharpened.
    """
    part = draw(rng, alpha)
    effect = np.full((3, 3), -1, np.float32)
    effect[1, 1] = 8 + draw(rng, lightness)
    return _weighed(_towards(effect, part))


@augmenters.add(name="Emboss")
def emboss(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Part = 0.0,
    strength: Number = 1.0,
) -> Change:
    """Light the image from the upper left, so that edges seem to stand out.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: How much of the embossed image is taken, 0-1.
        strength: How deep it seems.
    """
    part, s = draw(rng, alpha), draw(rng, strength)
    effect = np.array([[-1 - s, -s, 0], [-s, 1, s], [0, s, 1 + s]], np.float32)
    return _weighed(_towards(effect, part))


@augmenters.add(name="EdgeDetect")
def edge_detect(rng: np.random.Generator, height: int, width: int, *, alpha: Part = 0.0) -> Change:
    """Blend with the image of edges: each pixel's four neighbours, less 4 times the pixel."""
    return _weighed(_towards(_EDGES, draw(rng, alpha)))


@augmenters.add(name="DirectedEdgeDetect")
def directed_edge_detect(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: Part = 0.0,
    direction: Number = [0.0, 1.0],  # noqa: B006  read only
) -> Change:
    """Blend with the image of edges that face one direction.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: How much of the edges is taken, 0-1.
        direction: Part of a full turn, clockwise from the top.
    """
    part = draw(rng, alpha)
    return _weighed(_towards(facing(draw(rng, direction)), part))


def facing(direction: float) -> Floats:
    """Make the matrix of edges that face a direction [3, 3].

    A neighbour counts by (1 - a / 180)^4, a being the degrees between it and the direction; all
    together count -1, the pixel itself 1.
    """
    turn = int(direction * 360) % 360
    weights = np.zeros((3, 3))
    for y, x in ((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != (0, 0)):
        towards = math.degrees(math.atan2(x, -y))
        apart = abs((towards - turn + 180) % 360 - 180)
        weights[y + 1, x + 1] = (1 - apart / 180) ** 4
    weights /= -weights.sum()
    weights[1, 1] = 1
    return weights.astype(np.float32)


def _towards(effect: AnyArray, alpha: float) -> Floats:
    mixture: Floats = ((1 - alpha) * _SAME + alpha * effect).astype(np.float32)
    return mixture


def _weighed(matrix: Floats) -> Change:
    return Pixels(partial(by_channels, change=partial(weigh, matrix=matrix)))


def weigh(image: Image, matrix: Floats) -> Image:
    """Lay a matrix [h, w] over an image of up to four channels; rounded."""
    return np.asarray(cv2.filter2D(image, -1, matrix, borderType=cv2.BORDER_REFLECT_101), np.uint8)
