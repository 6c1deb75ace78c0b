"""How many negative samples take part beside the positive ones."""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Indices
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source


def positives_of(source: Source, table: SampleTable) -> AnyArray:
    """Ask a source for each of a table's samples whether it is positive [N]."""
    asked = (source.is_positive(i) for i in table.indices.tolist())
    return np.fromiter(asked, dtype=bool, count=len(table))


def with_negatives(
    positive: AnyArray, rows: Indices, most: int, rng: np.random.Generator
) -> Indices:
    """Keep all positive samples, and at most so many negative ones for each of them.

    Args:
        positive: Of each sample of the table whether it is positive [N].
        rows: To choose among, in the order of their ids.
        most: Negative samples for each positive one; below 0: all.
        rng: Draws them.

    Returns:
        Those that are kept, in the order given.
    """
    if most < 0:
        return rows
    flags = positive[rows]
    kept = flags.copy()
    kept[rng.permutation(np.flatnonzero(~flags))[: most * int(flags.sum())]] = True
    return rows[kept]


def check_positives(positive: AnyArray, rows: Indices, most: int, where: str) -> None:
    """Make sure that something is left when negative samples are left out.

    Args:
        positive: Of each sample of the table whether it is positive [N].
        rows: To choose among.
        most: Negative samples for each positive one; below 0: all.
        where: For the message.

    Raises:
        DataError: If none of the samples is positive.
    """
    if most >= 0 and not positive[rows].any():
        msg = f"{where}: negatives: expected positive samples, got none among {len(rows)}"
        hint = "`isPositive` of the data set, or else a class that is true, makes a sample positive"
        raise DataError(msg, hint=hint, slug="data/no-positives")
