"""How many samples without any class take part in an evaluation."""

from typing import Literal, TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Indices
from fivefold.data import Source
from fivefold.data.balance import with_negatives

Negatives: TypeAlias = Literal["none", "real", "all"] | int
"""Which samples that are not positive count: none of them, all ("real" and "all"), or so many for
each positive one."""

_MOST = {"none": 0, "real": -1, "all": -1}


def with_some_negatives(
    source: Source, positions: Indices, negatives: Negatives, rng: np.random.Generator
) -> Indices:
    """Keep all positive samples, and as many others as are wanted.

    Args:
        source: Says what is positive.
        positions: Of the samples to choose among [N].
        negatives: Which of the others.
        rng: Draws them.

    Returns:
        Their positions, in the order given.

    Raises:
        DataError: If `negatives` is something else.
    """
    is_number = isinstance(negatives, int) and not isinstance(negatives, bool) and negatives >= 0
    most = negatives if is_number else _MOST.get(str(negatives))
    if not isinstance(most, int):
        msg = f"negatives: expected 'none', 'real', 'all' or a whole number, got {negatives!r}"
        raise DataError(msg, slug="data/negatives")
    if most < 0:
        return positions
    positive = np.zeros(len(source), dtype=bool)
    positive[positions] = [source.is_positive(i) for i in positions.tolist()]
    return with_negatives(positive, positions, most, rng)
