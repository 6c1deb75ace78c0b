"""How many samples without any class take part in a stage, and in an evaluation."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from fivefold.config import ResolvedStage
from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Indices
from fivefold.data import Source
from fivefold.data.balance import with_negatives
from fivefold.data.samples import SampleTable
from fivefold.data.splits import Splits

Negatives: TypeAlias = Literal["none", "real", "all"] | int
"""Which samples that are not positive count: none of them, all ("real" and "all"), or so many for
each positive one."""

_MOST = {"none": 0, "real": -1, "all": -1}


class FoldRows(NamedTuple):
    """The rows of the table of samples that a fold's model meets, each in the order of their ids.

    Attributes:
        train: To train on.
        val: To validate on.
        left_out: Of the validation fold, but of no epoch.
    """

    train: Indices
    val: Indices
    left_out: Indices


def rows_of_fold(
    splits: Splits,
    table: SampleTable,
    positives: AnyArray,
    stage: ResolvedStage,
    *,
    seed: int,
    fold: int,
) -> FoldRows:
    """Choose the samples of a fold that take part in a stage.

    Negative samples are drawn once for the fold, so that all stages have the same.

    Args:
        splits: The folds.
        table: All used samples.
        positives: Of each of them whether it is positive [N]; empty where no stage asks.
        stage: How many negative ones it takes.
        seed: The experiment's seed.
        fold: Which one.
    """
    train, val = splits.rows(table, fold)
    if stage.takes_all:
        return FoldRows(train, val, val[:0])
    for_train = generator_for(seed, "negatives", fold)
    for_val = generator_for(seed, "validation-negatives", fold)
    kept = with_negatives(positives, val, stage.validation_negatives, for_val)
    train = with_negatives(positives, train, stage.negatives, for_train)
    return FoldRows(train, kept, val[~np.isin(val, kept)])


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
