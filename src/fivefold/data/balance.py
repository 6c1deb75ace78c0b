"""Which samples an epoch takes: negative beside positive ones, and as many of each class."""

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


def images_per_class(counts: Indices, asked: str | int) -> int:
    """Say how many images of each class an epoch draws.

    Args:
        counts: Training samples of each class [C], of which some are above 0.
        asked: `sampler`: as many as make an epoch as long as without it; `upsampling`: as many as
            the largest class has; `downsampling`: as the smallest; or a number.
    """
    present = counts[counts > 0]
    if isinstance(asked, int):
        return asked
    if asked == "upsampling":
        return int(present.max())
    if asked == "downsampling":
        return int(present.min())
    return max(round(int(present.sum()) / len(present)), 1)


def draw_of_each(classes: AnyArray, number: int, rng: np.random.Generator) -> Indices:
    """Draw so many samples of each class.

    None comes twice of a class that has enough. Of one that has fewer each comes as often as any
    other, but for one more time where that does not come out even.

    Args:
        classes: The class of each sample [N].
        number: How many of each class.
        rng: Draws them.

    Returns:
        Places of samples, ascending [number * classes that there are].
    """
    drawn = []
    order = np.argsort(classes, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(classes[order])) + 1):
        whole, rest = divmod(number, len(members))
        drawn += [np.repeat(members, whole), rng.permutation(members)[:rest]]
    return np.sort(np.concatenate(drawn))
