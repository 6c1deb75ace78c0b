"""How many samples without any class take part."""

from typing import Any, Literal, TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Indices
from fivefold.data import Source

Negatives: TypeAlias = Literal["none", "real", "all"] | int
"""Which samples without any class count: none of them, all ("real" and "all"), or so many for each
sample with one."""


def with_negatives(
    dataset: Any,
    source: Source,
    positions: Indices,
    negatives: Negatives,
    rng: np.random.Generator,
) -> Indices:
    """Keep all positive samples, and as many negative ones as are wanted.

    Args:
        dataset: Says in `isPositive(i)` what is positive, if it can; else it is what has a class.
        source: Its samples.
        positions: Of the samples to choose among [N].
        negatives: Which of the negative ones.
        rng: Draws them.

    Returns:
        Their positions, in order.

    Raises:
        DataError: If `negatives` is something else.
    """
    if negatives in ("real", "all"):
        return positions
    if isinstance(negatives, bool) or not (
        negatives == "none" or (isinstance(negatives, int) and negatives >= 0)
    ):
        msg = f"negatives: expected 'none', 'real', 'all' or a whole number, got {negatives!r}"
        raise DataError(msg, slug="data/negatives")
    flags = np.array([_is_positive(dataset, source, i) for i in positions.tolist()], dtype=bool)
    wanted = 0 if negatives == "none" else int(negatives) * int(flags.sum())
    taken = rng.permutation(np.flatnonzero(~flags))[:wanted]
    return np.sort(positions[np.concatenate([np.flatnonzero(flags), taken])])


def _is_positive(dataset: Any, source: Source, i: int) -> bool:
    if hasattr(dataset, "isPositive"):
        return bool(dataset.isPositive(i))
    target = source.target(i)
    return target is not None and bool(target.any())
