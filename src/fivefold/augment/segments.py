"""Augmenters that paint regions of an image in their mean colour.

Names, options and defaults are those of imgaug 0.3.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.coarse import Cells, PartSize, WholeSize
from fivefold.augment.draws import Part, Values, draw, draw_whole, whole_between
from fivefold.augment.frames import Interpolation
from fivefold.augment.per_channel import ImageFunction, as_bytes, new_seed
from fivefold.augment.reduced import MaxSize, reduced
from fivefold.core.masks import as_nearest
from fivefold.core.optional import late
from fivefold.core.types import Floats, Image, Indices

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Regions: TypeAlias = Callable[[Image, np.random.Generator], Indices]
"""From pixels [h, w, C] and a generator to the number of each one's region [h, w]."""

Points = Annotated[Values, whole_between(1, 100_000)]

_ROUNDS = 5
_COMPACTNESS = 10.0
_BLOCK = 16  # pixels along each side of what is compared with the points around it


@augmenters.add(name="Superpixels")
def superpixels(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    p_replace: Part = 0.0,
    n_segments: WholeSize = 100,
    max_size: MaxSize = 128,
    interpolation: Interpolation = "area",
) -> Change:
    """Paint regions of alike neighbours in their mean colour (SLIC, Achanta et al., 2012).

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        p_replace: Share of the regions that are painted, 0-1.
        n_segments: About how many regions there are.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    count = int(draw_whole(rng, n_segments))
    small = partial(reduced, max_size=max_size, interpolation=interpolation)
    return _painted(rng, draw(rng, p_replace), small, lambda image, _: alike(image, count))


@augmenters.add(name="UniformVoronoi")
def uniform_voronoi(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n_points: Points,
    p_replace: Part = 1.0,
    max_size: MaxSize = 128,
    interpolation: Interpolation = "area",
) -> Change:
    """Paint what is nearest to each of some random points in its mean colour.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n_points: How many points, anywhere.
        p_replace: Share of the regions that are painted, 0-1.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    count = int(draw_whole(rng, n_points))

    def regions(image: Image, own: np.random.Generator) -> Indices:
        return nearest(own.random((count, 2), np.float32), image.shape[:2])

    small = partial(reduced, max_size=max_size, interpolation=interpolation)
    return _painted(rng, draw(rng, p_replace), small, regions)


@augmenters.add(name="RegularGridVoronoi")
def regular_grid_voronoi(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n_rows: Cells,
    n_cols: Cells,
    p_drop_points: Part = 0.4,
    p_replace: Part = 1.0,
    max_size: MaxSize = 128,
    interpolation: Interpolation = "area",
) -> Change:
    """Paint what is nearest to each point of a grid, some points left out, in its mean colour.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n_rows: How many points lie one below the other.
        n_cols: How many lie side by side.
        p_drop_points: Share of the points that are left out, 0-1.
        p_replace: Share of the regions that are painted, 0-1.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    grid = (int(draw_whole(rng, n_rows)), int(draw_whole(rng, n_cols)))
    regions = partial(_around_grid, grid=grid, dropped=draw(rng, p_drop_points))
    small = partial(reduced, max_size=max_size, interpolation=interpolation)
    return _painted(rng, draw(rng, p_replace), small, regions)


@augmenters.add(name="RelativeRegularGridVoronoi")
def relative_regular_grid_voronoi(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n_rows_frac: PartSize,
    n_cols_frac: PartSize,
    p_drop_points: Part = 0.4,
    p_replace: Part = 1.0,
    max_size: MaxSize = None,
    interpolation: Interpolation = "area",
) -> Change:
    """Do as `RegularGridVoronoi`, with a grid whose size is a part of the image's.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n_rows_frac: Points one below the other, as a part of the height in pixels.
        n_cols_frac: Points side by side, as a part of the width in pixels.
        p_drop_points: Share of the points that are left out, 0-1.
        p_replace: Share of the regions that are painted, 0-1.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    rows = max(round(draw(rng, n_rows_frac) * height), 1)
    columns = max(round(draw(rng, n_cols_frac) * width), 1)
    regions = partial(_around_grid, grid=(rows, columns), dropped=draw(rng, p_drop_points))
    small = partial(reduced, max_size=max_size, interpolation=interpolation)
    return _painted(rng, draw(rng, p_replace), small, regions)


def nearest(points: Floats, size: tuple[int, ...]) -> Indices:
    """Say which point each pixel is nearest to [h, w]; of equally near ones the first.

    Args:
        points: Rows and columns as parts of the sides [P, 2], 0-1.
        size: Height and width in pixels.
    """
    height, width = size
    places = points * np.array(size, np.float32)
    labels = np.empty(size, np.intp)
    for top in range(0, height, _BLOCK):
        for left in range(0, width, _BLOCK):
            block = labels[top : top + _BLOCK, left : left + _BLOCK]
            y = np.arange(top, top + block.shape[0], dtype=np.float32)[:, None, None] + 0.5
            x = np.arange(left, left + block.shape[1], dtype=np.float32)[None, :, None] + 0.5
            near = _near(places, (float(y.mean()), float(x.mean())))
            distance = (places[near, 0] - y) ** 2 + (places[near, 1] - x) ** 2
            block[:] = near[distance.argmin(axis=2)]
    return labels


def _near(places: Floats, centre: tuple[float, float]) -> Indices:
    """Find all points [P, 2] that some pixel of the block around a centre may be nearest to."""
    distance = np.hypot(places[:, 0] - centre[0], places[:, 1] - centre[1])
    # What is nearest to a pixel is at most the block's diagonal farther away than what is nearest
    # to the centre.
    return np.flatnonzero(distance <= distance.min() + _BLOCK * 1.5)


def alike(image: Image, count: int) -> Indices:
    """Part an image into about so many regions of alike neighbours, by SLIC [h, w].

    Centres begin on a grid. In 5 rounds each pixel joins one of the nine centres that began around
    it, the one for which colour² + (10 distance / step)² is least, and centres move to the means.
    Colours are Lab where there are three channels. Regions may fall apart.
    """
    height, width, _ = image.shape
    step = max((height * width / count) ** 0.5, 1.0)
    rows, columns = max(round(height / step), 1), max(round(width / step), 1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    weight = np.float32(_COMPACTNESS / step)
    colours = _perceived(image)
    space = np.concatenate([colours, (y * weight)[..., None], (x * weight)[..., None]], axis=2)
    around = _around(height, width, rows, columns)
    labels = around[:, :, 4]
    for _ in range(_ROUNDS):
        centres = _means(space.reshape(height * width, -1), labels.ravel(), rows * columns)
        distance = np.zeros(around.shape, np.float32)
        for i in range(space.shape[2]):  # one after another: several times as fast as all at once
            distance += (centres[:, i][around] - space[:, :, None, i]) ** 2
        labels = np.take_along_axis(around, distance.argmin(axis=2)[..., None], axis=2)[..., 0]
    return labels


def _perceived(image: Image) -> Floats:
    values = image.astype(np.float32)
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(values / 255, cv2.COLOR_RGB2LAB), np.float32)
    return values * np.float32(100 / 255)


def _around(height: int, width: int, rows: int, columns: int) -> Indices:
    """Number the nine cells of a grid on and around each pixel [h, w, 9]; the fifth is its own."""
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    near_rows = np.clip(row[:, None] + np.array([-1, 0, 1]), 0, rows - 1)
    near_columns = np.clip(column[:, None] + np.array([-1, 0, 1]), 0, columns - 1)
    cells: Indices = near_rows[:, None, :, None] * columns + near_columns[None, :, None, :]
    return cells.reshape(height, width, 9)


def _means(values: Floats, labels: Indices, count: int) -> Floats:
    """Average values [N, D] of each label [count, D]; what has no values is far away."""
    sizes = np.bincount(labels, minlength=count)
    sums = [np.bincount(labels, values[:, i], count) for i in range(values.shape[1])]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack(sums, axis=1) / sizes[:, None]
    means[sizes == 0] = 1e6
    return means.astype(np.float32)


def _around_grid(
    image: Image, own: np.random.Generator, grid: tuple[int, int], dropped: float
) -> Indices:
    rows, columns = ((np.arange(n, dtype=np.float32) + 0.5) / n for n in grid)
    points = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    kept = own.random(len(points)) >= dropped
    if not kept.any():
        kept[own.integers(len(points))] = True
    return nearest(points[kept].astype(np.float32), image.shape[:2])


def _painted(
    rng: np.random.Generator, share: float, reduce: ImageFunction, regions: Regions
) -> Change:
    seed = new_seed(rng)

    def change(image: Image) -> Image:
        if share == 0:
            return image
        own = np.random.default_rng(seed)
        height, width, _ = image.shape
        small = reduce(image)
        labels = regions(small, own)
        count = int(labels.max()) + 1
        means = _means(small.reshape(-1, small.shape[2]).astype(np.float32), labels.ravel(), count)
        chosen = (own.random(count) < share)[labels]
        paint = as_nearest(as_bytes(means)[labels], height, width)
        chosen = as_nearest(chosen.astype(np.uint8), height, width) > 0
        return np.where(chosen[..., None], paint, image)

    return Pixels(change)
