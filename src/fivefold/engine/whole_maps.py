"""Probabilities of an image's pixels at the image's own size, some rows at a time.

A map of a hundred million pixels takes 400 MB for each class, so whoever only wants a mask takes
the rows as they come and keeps none of them.
"""

from collections.abc import Callable, Iterator
from functools import cached_property

import cv2
import numpy as np

from fivefold.core.types import AnyArray, Floats
from fivefold.engine.laying import sent_back

_STRIP = 1 << 20
"""Pixels at a time, about."""


class WholeMap:
    """The probability of each class at each pixel of an image.

    Args:
        size: Height and width of the image in pixels.
        num_classes: How many classes there are.
        rows: Gives the probabilities from top to bottom, some rows at a time [n, W, K], 0-1.

    Attributes:
        size: The same.
        num_classes: The same.
    """

    def __init__(
        self, size: tuple[int, int], num_classes: int, rows: Callable[[], Iterator[Floats]]
    ) -> None:
        self.size = size
        self.num_classes = num_classes
        self._rows = rows

    @cached_property
    def arr(self) -> Floats:
        """All of it [H, W, K], 0-1; kept once it was asked for."""
        found = np.empty((*self.size, self.num_classes), dtype=np.float32)
        top = 0
        for part in self._rows():
            found[top : top + len(part)] = part
            top += len(part)
        return found

    def strips(self) -> Iterator[Floats]:
        """Give some rows at a time, from top to bottom [n, W, K]."""
        if "arr" in vars(self):
            yield self.arr
            return
        yield from self._rows()


def whole_map(maps: Floats, size: tuple[int, int], places: AnyArray | None = None) -> WholeMap:
    """Bring maps to the size of the image that they were made of.

    Between the centres of a map's positions they are linear in both directions (bilinear
    interpolation); towards the edges they stay as at the outermost centres. Where an image is
    smaller than the map, what falls together is averaged over areas first.

    Args:
        maps: Probabilities as the network gives them [K, h, w], 0-1.
        size: Height and width of the image.
        places: Where the network's pixels were before the transforms of all images, from
            `laying.traced`; None: where they are. What no pixel came from is 0.
    """
    if places is not None:
        maps = np.stack([sent_back(one, places) for one in maps])
    averaged = np.stack([_averaged(one, size) for one in maps])
    return WholeMap(size, len(maps), lambda: _enlarged(averaged, size))


def _averaged(one: Floats, size: tuple[int, int]) -> AnyArray:
    smaller = (min(size[1], one.shape[1]), min(size[0], one.shape[0]))
    return cv2.resize(one, smaller, interpolation=cv2.INTER_AREA)


def _enlarged(maps: Floats, size: tuple[int, int]) -> Iterator[Floats]:
    """Stretch maps [K, h, w], each row once, then between rows: [n, W, K]."""
    height, width = size
    count = maps.shape[1]
    wide = [cv2.resize(m, (width, count), interpolation=cv2.INTER_LINEAR) for m in maps]
    places = (np.arange(height) + 0.5) * (count / height) - 0.5
    above = np.clip(np.floor(places), 0, count - 1).astype(np.intp)
    below = np.minimum(above + 1, count - 1)
    share = np.clip(places - above, 0, 1).astype(np.float32)[:, None]
    step = max(1, _STRIP // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        part = np.empty((rows.stop - top, width, len(wide)), dtype=np.float32)
        for k, plane in enumerate(wide):
            upper = plane[above[rows]]
            # This form gives equal neighbours back bit by bit.
            part[..., k] = upper + (plane[below[rows]] - upper) * share[rows]
        yield part
