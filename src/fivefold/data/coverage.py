"""How much of each image its mask's classes cover, and folds that are alike in that."""

import math

import numpy as np

from fivefold.core.types import Indices
from fivefold.data.samples import SampleTable

_MOST_PARTS = 64
"""Into so many parts at most the images that show a class are divided, by how much it covers."""


def coverage_kinds(table: SampleTable, folds: int) -> tuple[Indices, Indices, int]:
    """Say what should be spread evenly of masks: each class, and how much of an image it covers.

    Images that show a class are sorted by the share of their pixels that do, the largest first, and
    divided into parts of as many images as there are folds, or a multiple of that: a fold that gets
    as many of each part as all others gets nearly the same area. The background is no class here.

    Args:
        table: Samples with masks whose pixels were counted; their order decides between equals.
        folds: How many.

    Returns:
        Rows, ascending, what each of them is, and how many kinds there are.
    """
    if table.areas is None or table.masks is None:
        none = np.zeros(0, dtype=np.int64)
        return none, none, 0
    first = 1 if table.masks.exclusive else 0
    rows, kinds, count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for areas in table.areas[:, first:].T:
        shown = np.flatnonzero(areas)
        rows.append(shown)
        kinds.append(np.full(len(shown), count))
        count += 1
        size = folds * math.ceil(len(shown) / (folds * _MOST_PARTS))
        if len(shown) > size > 0:
            place = np.empty(len(shown), dtype=np.int64)
            place[np.argsort(-areas[shown], kind="stable")] = np.arange(len(shown))
            rows.append(shown)
            kinds.append(count + place // size)
            count += int(place.max()) // size + 1
    every = np.concatenate(rows)
    order = np.argsort(every, kind="stable")
    return every[order], np.concatenate(kinds)[order], count
