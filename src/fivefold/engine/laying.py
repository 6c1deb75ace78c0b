"""From the small map of a network to the image that it was made of, at the image's own size."""

import cv2
import numpy as np

from fivefold.augment.tracing import build_tracing
from fivefold.core.cells import each_cell
from fivefold.core.types import AnyArray, Floats, Image
from fivefold.models import ModelSpec

_REACH = 9
"""Pixels: what lies between known ones that are so far apart is known too."""


def lay(maps: Floats, size: tuple[int, int], places: AnyArray | None) -> Floats:
    """Lay maps over the image that a network has seen in another shape.

    Between positions a map is linear. Where the images went through transforms, each pixel's value
    goes back to where the pixel was; what the network has not seen, as behind a cut, is 0.

    Args:
        maps: Of the whole image as the network sees it [K, h, w].
        size: Height and width of the image, in pixels.
        places: Where the network's pixels were, from `traced`; None: where they are.

    Returns:
        The maps at that size [K, H, W].
    """
    if places is not None:
        maps = np.stack([sent_back(one, places) for one in maps])
    return np.stack([_stretched(one, size) for one in maps])


def traced(spec: ModelSpec, image: Image) -> AnyArray | None:
    """Say where each pixel that a network sees was before the transforms.

    Args:
        spec: Of the model; its `transforms` and `crops` count.
        image: Resized [H, W, C], and not transformed yet.

    Returns:
        Rows and columns [H, W, 2], -1 where nothing was; None where there are no transforms.
    """
    if not spec.transforms:
        return None
    places = each_cell(build_tracing(spec.transforms), spec.crops)(image)
    height, width = image.shape[0] // spec.crops, image.shape[1] // spec.crops
    rows, columns = np.indices(image.shape[:2])
    corner = np.stack([rows // height * height, columns // width * width], axis=2)
    return np.where(places < 0, -1, places + corner)


def _stretched(one: Floats, size: tuple[int, int]) -> Floats:
    smaller = (min(size[1], one.shape[1]), min(size[0], one.shape[0]))
    averaged = cv2.resize(one, smaller, interpolation=cv2.INTER_AREA)
    stretched = cv2.resize(averaged, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(stretched, dtype=np.float32)


def sent_back(one: Floats, places: AnyArray) -> Floats:
    """Send a map of what a network saw to where its pixels were before the transforms.

    Args:
        one: A map of any size [h, w].
        places: From `traced`.

    Returns:
        The map at the network's size [H, W]; what the network has not seen is 0.
    """
    return _back(_stretched(one, places.shape[:2]), places)


def _back(values: Floats, places: AnyArray) -> Floats:
    """Send values [H, W] to the places that their pixels came from."""
    height, width = values.shape
    known = places[..., 0] >= 0
    at = places[known]
    sums, counts = (np.zeros((height, width), np.float32) for _ in range(2))
    np.add.at(sums, (at[:, 0], at[:, 1]), values[known])
    np.add.at(counts, (at[:, 0], at[:, 1]), 1)
    # Where an image was made smaller, only some of its pixels are known; those between them take
    # the mean of their neighbours. What lies around all known ones was not seen.
    around = np.ones((_REACH, _REACH), np.uint8)
    inside = cv2.morphologyEx((counts > 0).astype(np.uint8), cv2.MORPH_CLOSE, around)
    near, num = (cv2.boxFilter(a, -1, around.shape, normalize=False) for a in (sums, counts))
    holes = (inside > 0) & (counts == 0)
    sums[holes], counts[holes] = near[holes], num[holes]
    return np.asarray(sums / np.maximum(counts, 1), dtype=np.float32)
