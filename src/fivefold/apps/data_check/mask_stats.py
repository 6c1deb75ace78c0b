"""How much masks show of each class."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import DataError
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Indices
from fivefold.data import ImageProblem, Source

_BOUNDS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Parts of an image, above the first and up to the second of each pair."""


@dataclass(frozen=True)
class MaskStats:
    """Numbers of masks.

    Attributes:
        images: For each class how many images show it.
        pixels: For each class how many pixels show it, of all images together.
        ignored: How many pixels do not count, where classes are exclusive; else 0.
        empty: How many masks show nothing, or only the background.
        covered: For each range of parts of an image, how many images are covered so far by what is
            looked for.
        unusable: How many masks cannot be used.
    """

    images: Mapping[str, int]
    pixels: Mapping[str, int]
    ignored: int
    empty: int
    covered: Mapping[str, int]
    unusable: int

    def record(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "pixels": dict(self.pixels),
            "ignored": self.ignored,
            "empty": self.empty,
            "covered": dict(self.covered),
            "unusable": self.unusable,
        }


def mask_stats(source: Source, used: Indices, sizes: AnyArray, progress: Progress) -> MaskStats:
    """Read all masks and count.

    Args:
        source: It has masks.
        used: Positions of the samples to count [N].
        sizes: Height and width of their images [N, 2].
        progress: Who watches.

    Raises:
        DataError: If no mask can be used.
    """
    names, threads = source.labels[0].class_names, decoding_threads()
    counts, kept = list[Indices](), list[int]()
    with progress.bar("masks", len(used)) as advance:
        found = map_ahead(
            lambda i: _counts(source, int(i)), used.tolist(), threads=threads, ahead=4 * threads
        )
        with closing(found):
            for place, one in enumerate(found):
                advance(1)
                if one is not None:
                    counts.append(one)
                    kept.append(place)
    if not counts:
        msg = f"expected masks, got {len(used):,} of which none can be used"
        hint = "`fivefold data check` says what is wrong with each"
        raise DataError(msg, hint=hint, slug="data/no-readable-image")
    table = np.stack(counts)
    areas = sizes[kept].astype(np.int64).prod(axis=1)
    first = 1 if source.masks is not None and source.masks.exclusive else 0
    shown = table[:, first:]
    # Classes that overlap may have more pixels together than there are.
    parts = np.minimum(shown.sum(axis=1) / areas, 1.0)
    ignored = int((areas - table.sum(axis=1)).sum()) if first else 0
    return MaskStats(
        images=dict(zip(names, (table > 0).sum(axis=0).tolist(), strict=True)),
        pixels=dict(zip(names, table.sum(axis=0).tolist(), strict=True)),
        ignored=ignored,
        empty=int((~shown.any(axis=1)).sum()),
        covered=_ranges(parts),
        unusable=len(used) - len(kept),
    )


def _counts(source: Source, i: int) -> Indices | None:
    try:
        return source.counts(i)
    except ImageProblem:
        return None


def _ranges(parts: AnyArray) -> dict[str, int]:
    found = {"nothing": int((parts == 0).sum())}
    for low, high in pairwise(_BOUNDS):
        inside = (parts > low) & (parts <= high)
        found[f"{low:.0%} to {high:.0%}"] = int(inside.sum())
    return found
