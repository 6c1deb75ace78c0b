"""Augmenters that leave few colours, few bits, or few frequencies of a picture."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Pixels
from fivefold.augment.draws import Values, between, draw, draw_whole, whole_between
from fivefold.augment.frames import Interpolation
from fivefold.augment.per_channel import as_bytes, channel_by_channel, new_seed, on_colours
from fivefold.augment.reduced import MaxSize, reduced
from fivefold.augment.spaces import Space, convert
from fivefold.core.masks import as_nearest
from fivefold.core.optional import late
from fivefold.core.types import Image

if TYPE_CHECKING:
    import cv2
else:  # a config is checked without it
    cv2 = late("cv2")

Colours = Annotated[Values, whole_between(2, 256)]
Percent = Annotated[Values, between(0, 100)]
QuantSpace: TypeAlias = Literal["RGB", "Lab", "HSV", "HLS", "YCrCb", "Luv"]

_ROUNDS = 10


@augmenters.add(name="KMeansColorQuantization", colour=True)
def kmeans_color_quantization(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n_colors: Colours = [2, 16],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
    to_colorspace: QuantSpace | list[QuantSpace] = ["RGB", "Lab"],  # noqa: B006  read only
    max_size: MaxSize = 128,
    interpolation: Interpolation = "area",
) -> Change:
    """Leave few colours: the means of groups of alike ones, found by k-means.

    Names, options and defaults are those of imgaug 0.3.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n_colors: How many, 2-256.
        from_colorspace: What the image is written in.
        to_colorspace: Where distances are taken: a name, or several to choose from.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    count = int(draw_whole(rng, n_colors))
    quantise = partial(_by_groups, count=count, seed=new_seed(rng))
    spaces = (from_colorspace, _choose(rng, to_colorspace))
    return _in_few(quantise, spaces, max_size, interpolation)


@augmenters.add(name="UniformColorQuantization", colour=True)
def uniform_color_quantization(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    n_colors: Colours = [2, 16],  # noqa: B006  read only
    from_colorspace: Space = "RGB",
    to_colorspace: QuantSpace | list[QuantSpace] | None = None,
    max_size: MaxSize = None,
    interpolation: Interpolation = "area",
) -> Change:
    """Leave few values of each component: the middles of equal parts of 0-255.

    Names, options and defaults are those of imgaug 0.3.

    Args:
        rng: Where the numbers come from.
        height: The image's height in pixels.
        width: The image's width in pixels.
        n_colors: How many values of each component, 2-256.
        from_colorspace: What the image is written in.
        to_colorspace: Whose components: a name, or several to choose from; default the image's.
        max_size: A larger image is shrunk to this longer side for it; null: never.
        interpolation: How it is shrunk: `nearest`, `linear`, `area` or `cubic`.
    """
    width_of_bin = 256 / int(draw_whole(rng, n_colors))
    table = as_bytes((np.arange(256) // width_of_bin + 0.5) * width_of_bin)
    space = from_colorspace if to_colorspace is None else _choose(rng, to_colorspace)
    return _in_few(lambda image: table[image], (from_colorspace, space), max_size, interpolation)


@augmenters.add(name="JpegCompression")
def jpeg_compression(
    rng: np.random.Generator, height: int, width: int, *, compression: Percent = 50
) -> Change:
    """Lose what a JPEG loses: 0 next to nothing, 100 nearly all.

    The quality of the file is 100 - 99/101 compression, as in imgaug. The first three channels
    are compressed as RGB, any others each as shades of grey.
    """
    quality = round(100 - 99 / 101 * draw(rng, compression))
    compressed = partial(through_jpeg, quality=quality)

    def change(image: Image) -> Image:
        if image.shape[2] < 3:
            return channel_by_channel(image, compressed)
        colours = compressed(image[..., :3])
        if image.shape[2] == 3:
            return colours
        return np.concatenate([colours, channel_by_channel(image[..., 3:], compressed)], axis=2)

    return Pixels(change)


def through_jpeg(image: Image, quality: int) -> Image:
    """Write RGB [H, W, 3] or shades of grey [H, W] as a JPEG of a quality, 1-100, and read it."""
    # OpenCV takes three channels for blue, green and red.
    written = np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image
    _, data = cv2.imencode(".jpg", written, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
    return np.ascontiguousarray(read[..., ::-1]) if image.ndim == 3 else read


def _choose(rng: np.random.Generator, spaces: QuantSpace | list[QuantSpace]) -> QuantSpace:
    if isinstance(spaces, str):
        return spaces
    return spaces[int(rng.integers(len(spaces)))]


def _in_few(
    quantise: Callable[[Image], Image],
    spaces: tuple[Space, Space],
    max_size: int | None,
    interpolation: Interpolation,
) -> Change:
    origin, space = spaces

    def change(image: Image) -> Image:
        height, width, _ = image.shape
        small = reduced(image, max_size, interpolation)
        few = convert(quantise(convert(small, origin, space)), space, origin)
        return as_nearest(few, height, width)

    return Pixels(on_colours(change))


def _by_groups(image: Image, count: int, seed: int) -> Image:
    """Replace colours by the means of groups: k-means in up to 10 rounds, begun with k-means++."""
    colours = image.reshape(-1, 3).astype(np.float32)
    if len(np.unique(colours, axis=0)) <= count:
        return image
    cv2.setRNGSeed(seed % 2**31)  # of this thread alone, so that nothing else can move it
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, _ROUNDS, 1.0)
    groups = np.zeros((len(colours), 1), np.int32)
    _, _, means = cv2.kmeans(colours, count, groups, stop, 1, cv2.KMEANS_PP_CENTERS)
    few: Image = as_bytes(means)[groups.ravel()].reshape(image.shape)
    return few
