"""Bootstrap: what a number could have been with other samples of the same kind.

Units (samples, or groups that stay together) are drawn with replacement, as many as there are,
again and again (Efron, 1979, https://doi.org/10.1214/aos/1176344552); the interval is that between
the 2.5th and the 97.5th percentile of the numbers that come out. Above 10,000 units (fewer with
more than 300 classes) units are first put together by chance, by a digest of their names, into as
many random groups, which are then drawn instead: a group's sums vary as those of its samples do
(random groups; Wolter, 2007, Introduction to Variance Estimation, chapter 2). Neither depends on
the order of the samples.
"""

import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.evaluation.metrics import Doubles

LEVEL = 0.95
_MOST_UNITS, _FEWEST_UNITS, _CELLS = 10_000, 1_000, 3_000_000
_DRAWN = 4_000_000  # numbers drawn together


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn.

    Attributes:
        of_samples: Each sample's unit [N].
        count: How many there are to draw.
        known: How many samples or groups there are, of which units may be random groups.
    """

    of_samples: Indices
    count: int
    known: int

    @classmethod
    def of(cls, names: Sequence[str], num_classes: int) -> "Units":
        """Make units of samples with equal names.

        Args:
            names: Each sample's id, or that of its group [N].
            num_classes: How many numbers are kept for each unit.
        """
        most = max(_FEWEST_UNITS, min(_MOST_UNITS, _CELLS // num_classes))
        known = len(set(names))
        if known > most:
            digests = (zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names)
            found = np.fromiter(digests, dtype=np.int64, count=len(names)) % most
            return cls(found, most, known)
        place = {name: i for i, name in enumerate(sorted(set(names)))}
        return cls(np.array([place[name] for name in names], dtype=np.int64), known, known)


def drawn(units: Units, resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Draw units with replacement, some resamples at a time.

    Yields:
        How often each unit was drawn [some resamples, units].
    """
    rng = generator_for(seed, "bootstrap")
    step = max(1, _DRAWN // units.count)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        cells = rng.integers(0, units.count, (rows, units.count))
        cells += np.arange(rows)[:, None] * units.count
        weights = np.bincount(cells.ravel(), minlength=rows * units.count)
        yield weights.reshape(rows, units.count).astype(np.float32)


def middle(resampled: Doubles) -> tuple[AnyArray, AnyArray]:
    """Find the ends of the 95 % in the middle [...] of resampled numbers [R, ...].

    Resamples without a number do not count; NaN where that leaves none, or all are alike.
    """
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        low, high = np.nanquantile(resampled, tails, axis=0)
        alike = np.nanmax(resampled, axis=0) == np.nanmin(resampled, axis=0)
    return np.where(alike, np.nan, low), np.where(alike, np.nan, high)


def linearised(value: AnyArray, changes: Doubles) -> Doubles:
    """Say what numbers in 0-1 become when units are drawn, to first order.

    That is done on the scale of log odds, so that they remain in 0-1; it is the infinitesimal
    jackknife's view of the bootstrap (Efron, 1982, https://doi.org/10.1137/1.9781611970319), and
    for ROC AUC DeLong's.

    Args:
        value: The numbers [...].
        changes: For each resample the sum of its units' pulls [R, ...].
    """
    inside = (value > 0) & (value < 1)
    safe = np.where(inside, value, 0.5)
    odds = np.log(safe / (1 - safe)) + changes / (safe * (1 - safe))
    with np.errstate(over="ignore"):
        moved = 1 / (1 + np.exp(-odds))
    result: Doubles = np.where(inside, moved, value)
    return result


def bound_of_all_alike(value: float, count: int) -> tuple[float, float]:
    """Give the interval of a share that is 0 or 1, of which all resamples are alike.

    Its other end is Clopper and Pearson's (1934, https://doi.org/10.1093/biomet/26.4.404): how
    large a share could be of which none was seen in so many.

    Args:
        value: 0 or 1.
        count: Of how many.
    """
    end = math.pow((1 - LEVEL) / 2, 1 / count)
    return (end, 1.0) if value == 1 else (0.0, 1 - end)
