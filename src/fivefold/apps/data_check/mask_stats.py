"""How much masks show of each class."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Indices
from fivefold.data import Source

_BOUNDS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Parts of an image, above the first and up to the second of each pair."""


@dataclass(frozen=True)
class MaskStats:
    """Numbers of masks.

    Attributes:
        images: For each class how many images show it.
        pixels: For each class how many pixels show it, of all images together.
        total: How many pixels there are.
        ignored: How many pixels do not count, where classes are exclusive; else 0.
        empty: How many masks show nothing, or only the background.
        covered: For each range of parts of an image, how many images are covered so far by what is
            looked for.
    """

    images: Mapping[str, int]
    pixels: Mapping[str, int]
    total: int
    ignored: int
    empty: int
    covered: Mapping[str, int]

    def record(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "pixels": dict(self.pixels),
            "total": self.total,
            "ignored": self.ignored,
            "empty": self.empty,
            "covered": dict(self.covered),
        }


def mask_stats(source: Source, used: Indices, sizes: AnyArray, progress: Progress) -> MaskStats:
    """Count what masks show.

    Args:
        source: It has masks, of which these can be used.
        used: Positions of the samples to count [N], at least one.
        sizes: Height and width of their images [N, 2].
        progress: Who watches.
    """
    names, counts = source.labels[0].class_names, list[Indices]()
    with progress.bar("masks", len(used)) as advance:
        for i in used.tolist():
            counts.append(source.counts(i))
            advance(1)
    table, areas = np.stack(counts), sizes.astype(np.int64).prod(axis=1)
    first = 1 if source.masks is not None and source.masks.exclusive else 0
    shown = table[:, first:]
    # Classes that overlap may have more pixels together than there are.
    parts = np.minimum(shown.sum(axis=1) / areas, 1.0)
    return MaskStats(
        images=dict(zip(names, (table > 0).sum(axis=0).tolist(), strict=True)),
        pixels=dict(zip(names, table.sum(axis=0).tolist(), strict=True)),
        total=int(areas.sum()),
        ignored=int((areas - table.sum(axis=1)).sum()) if first else 0,
        empty=int((~shown.any(axis=1)).sum()),
        covered=_ranges(parts),
    )


def _ranges(parts: AnyArray) -> dict[str, int]:
    found = {"nothing": int((parts == 0).sum())}
    for low, high in pairwise(_BOUNDS):
        inside = (parts > low) & (parts <= high)
        found[f"{low:.0%} to {high:.0%}"] = int(inside.sum())
    return found
