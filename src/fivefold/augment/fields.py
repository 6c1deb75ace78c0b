"""Augmenters that bend an image: each pixel comes from a place of its own.

The names, options and defaults are those of imgaug 0.3. Pixels are those of the network's size.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import numpy as np

from fivefold.augment.box import Matrix
from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import NOTHING, Both, Change, Field, Size
from fivefold.augment.draws import (
    Brightness,
    Modes,
    NotNegative,
    Orders,
    Values,
    between,
    draw,
    draw_border,
    draw_whole,
    whole_between,
)
from fivefold.augment.warp import Border, Maps, of_mask, remap
from fivefold.core.optional import late
from fivefold.core.types import AnyArray, Floats, Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

GridSide = Annotated[Values, whole_between(2, 100)]
Sigma = Annotated[Values, between(0, 1000)]


@augmenters.add(name="PerspectiveTransform")
def perspective_transform(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: NotNegative = 0.0,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    keep_size: bool = True,
) -> Change:
    """Look at a part of the image from another side.

    Four points near the corners become the corners. How far in each lies is the size of a
    normal number, in parts of the width and height.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        scale: Standard deviation of the four points' distances from the corners, such as 0.05.
        cval: Brightness of what comes in from outside, 0-255, when `mode` is `constant`.
        mode: What lies outside, as in `Affine`.
        keep_size: Whether the next augmenter gets the result in the size that there was, not in
            that of the part.
    """
    inward = np.abs(rng.normal(0.0, draw(rng, scale), (4, 2))) % 1.0
    points = np.abs(np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) - np.minimum(inward, 0.49))
    points = points * (width, height) - 0.5
    border = draw_border(rng, 1, cval, mode)
    size = (height, width) if keep_size else _size_of(points)
    maps = partial(_perspective_maps, _homography(size, points))
    if keep_size:
        return Field(maps, border)
    borders = (border, of_mask(border))
    image, mask = (partial(_remapped, maps=maps, size=size, border=b) for b in borders)
    return Both(image, mask, size)


@augmenters.add(name="ElasticTransformation")
def elastic_transformation(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    alpha: NotNegative = 0.0,
    sigma: Sigma = 0.0,
    order: Orders = 3,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
) -> Change:
    """Move every pixel by a smoothed random distance.

    For x and y alike, a number between -1 and 1 is drawn for each pixel, smoothed by a Gaussian
    and multiplied.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        alpha: What the smoothed numbers are multiplied with, in pixels.
        sigma: The Gaussian's standard deviation in pixels.
        order: Interpolation: 0 nearest, 1 linear, 3 cubic.
        cval: As in `Affine`.
        mode: As in `Affine`.

    References:
        Simard et al., 2003, "Best practices for convolutional neural networks"
    """
    strength, smoothness = draw(rng, alpha), draw(rng, sigma)
    seed = int(rng.integers(2**63))
    border = draw_border(rng, order, cval, mode)
    if strength == 0:
        return NOTHING
    return Field(partial(_elastic_maps, seed, strength, smoothness), border)


@augmenters.add(name="PiecewiseAffine")
def piecewise_affine(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: NotNegative = 0.0,
    nb_rows: GridSide = 4,
    nb_cols: GridSide = 4,
    order: Orders = 1,
    cval: Brightness = 0.0,
    mode: Modes = "constant",
    absolute_scale: bool = False,
) -> Change:
    """Move the points of a regular grid a little, and the triangles between them along.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        scale: Standard deviation of each point's way, in parts of the height and width; 0.01 to
            0.05 look natural.
        nb_rows: Rows of points, at least 2.
        nb_cols: Columns of points, at least 2.
        order: Interpolation: 0 nearest, 1 linear, 3 cubic.
        cval: As in `Affine`.
        mode: As in `Affine`.
        absolute_scale: Whether `scale` is in pixels.
    """
    deviation = draw(rng, scale)
    rows, columns = (max(2, int(draw_whole(rng, count))) for count in (nb_rows, nb_cols))
    units = (1, 1) if absolute_scale else (height, width)
    moves = rng.normal(0.0, deviation, (rows, columns, 2)) * units
    border = draw_border(rng, order, cval, mode)
    if deviation == 0:
        return NOTHING
    return Field(partial(_grid_maps, moves), border)


def _homography(size: Size, points: AnyArray) -> Matrix:
    """Compute where points (x, y, 1) of the output lie in the input, whose four are its corners."""
    height, width = size
    right, bottom = width - 0.5, height - 0.5
    rows, values = [], []
    corners = ((-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom))
    for (u, v), (x, y) in zip(corners, points.tolist(), strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        values += [x, y]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)


def _perspective_maps(homography: Matrix, height: int, width: int) -> Maps:
    y, x = np.arange(height, dtype=np.float64)[:, None], np.arange(width, dtype=np.float64)
    across, down, depth = (a * x + (b * y + c) for a, b, c in homography.tolist())
    return (across / depth).astype(np.float32), (down / depth).astype(np.float32)


def _size_of(points: AnyArray) -> Size:
    """Measure a part by the longer of its opposite sides."""
    top, right, bottom, left = np.hypot(*(np.roll(points, -1, axis=0) - points).T).tolist()
    return max(2, round(max(left, right))), max(2, round(max(top, bottom)))


def _remapped(image: Image, maps: Callable[[int, int], Maps], size: Size, border: Border) -> Image:
    return remap(image, maps(*size), border)


def _elastic_maps(seed: int, strength: float, smoothness: float, height: int, width: int) -> Maps:
    moves = np.random.default_rng(seed).random((2, height, width), np.float32) * 2 - 1
    if smoothness > 0:
        for axis in moves:
            axis[:] = cv2.GaussianBlur(axis, (0, 0), smoothness, borderType=cv2.BORDER_REFLECT)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return x + strength * moves[0], y + strength * moves[1]


def _grid_maps(moves: AnyArray, height: int, width: int) -> Maps:
    """Interpolate the moves of a grid's points linearly in two triangles of each cell.

    Args:
        moves: How far each point goes, down and to the right [rows, columns, 2].
        height: The image's height in pixels.
        width: The image's width in pixels.
    """
    rows, columns = moves.shape[:2]
    ends = np.array((height - 1, width - 1), dtype=np.float64)
    grid = np.moveaxis(np.mgrid[:rows, :columns], 0, 2) / (rows - 1, columns - 1) * ends
    moves = np.clip(grid + moves, 0, ends) - grid  # no point leaves the image
    corner, far = moves[:-1, :-1], moves[1:, 1:]
    beside, below = moves[:-1, 1:], moves[1:, :-1]
    # How far a place moves is, in the lower and in the upper triangle of its cell,
    # corner + right * slopes[..., 0, :] + down * slopes[..., 1, :].
    slopes = np.stack(
        [np.stack([far - below, below - corner], 2), np.stack([beside - corner, far - beside], 2)],
        axis=2,
    )
    (i, down), (j, right) = _cells(height, rows), _cells(width, columns)
    i, down = i[:, None], down[:, None]
    triangle = 2 * (i * (columns - 1) + j) + (right >= down)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    starts = np.repeat(corner.reshape(-1, 2), 2, axis=0).astype(np.float32)
    steep = slopes.reshape(-1, 2, 2).astype(np.float32)
    moved = [
        starts[:, axis].take(triangle)
        + right * steep[:, 0, axis].take(triangle)
        + down * steep[:, 1, axis].take(triangle)
        for axis in (0, 1)
    ]
    return x + moved[1], y + moved[0]


def _cells(total: int, points: int) -> tuple[AnyArray, Floats]:
    """Say in which cell each pixel lies, and where in it, 0-1."""
    place = np.arange(total) * (points - 1) / max(total - 1, 1)
    cell = np.minimum(place.astype(np.intp), points - 2)
    return cell, (place - cell).astype(np.float32)
