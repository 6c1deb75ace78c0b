"""From pairs of an image and a class to one row of targets for each image."""

import numpy as np

from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.packed_numbers import PackedTargets, targets_in_parts


def hot_rows(
    rows: Indices, classes: Indices, count: int, num_classes: int, background: int | None = None
) -> Floats | PackedTargets:
    """Set a 1 for every pair.

    Args:
        rows: Of each pair, the image [P].
        classes: Of each pair, the class [P].
        count: N, at least 1.
        num_classes: C.
        background: The class that means "nothing": true where no other is, and only there.

    Returns:
        Targets [N, C].
    """
    order = np.argsort(rows, kind="stable")
    by_row, by_class = rows[order], classes[order]

    def part(places: range) -> AnyArray:
        low, high = np.searchsorted(by_row, [places.start, places.stop])
        hot = np.zeros((len(places), num_classes), dtype=np.float32)
        hot[by_row[low:high] - places.start, by_class[low:high]] = 1
        if background is not None:
            others = np.delete(hot, background, axis=1).any(axis=1)
            hot[:, background] = ~others
        return hot

    return targets_in_parts(count, part)


def is_exclusive(targets: Floats | PackedTargets) -> bool:
    """Tell whether exactly one class is true of every image."""
    parts = range(0, len(targets), 4096)
    return all((targets[start : start + 4096].sum(axis=1) == 1).all() for start in parts)
