"""One number for each fold, summed up."""

from collections.abc import Sequence

import numpy as np


def spread(values: Sequence[float]) -> dict[str, float]:
    """Sum up a metric over folds: `mean`, `std` (population, as Musket's), `min` and `max`.

    NaN in, NaN out: a fold without a number is not hidden.

    Args:
        values: One for each fold, at least one.
    """
    array = np.asarray(values, dtype=np.float64)
    return {
        "mean": float(array.mean()),
        "std": float(array.std()),
        "min": float(array.min()),
        "max": float(array.max()),
    }
