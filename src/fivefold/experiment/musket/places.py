"""Which models Musket's arguments `fold` and `stage` mean."""

import logging
import operator
from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias

from fivefold.core.errors import ConfigError, Problem
from fivefold.experiment.experiment import Experiment
from fivefold.experiment.finished import recorded_config
from fivefold.experiment.trained import stage_index, trained_folds

logger = logging.getLogger(__name__)

Fold: TypeAlias = int | Sequence[int] | None
"""Whose models: one fold, several, or all that are trained."""
Stage: TypeAlias = int | Sequence[int] | None
"""Whose weights: one stage, -1 for the last, several, or all."""
Place: TypeAlias = tuple[int, int]
"""A model's fold and stage."""


class _First(int):
    """The first stage, where nobody asked for one."""


FIRST: Final = _First(0)
"""Musket's default stage to predict with; that it is not the last is said where there are more."""


class _All(tuple[int, ...]):
    """All stages, where nobody asked for them."""

    __slots__ = ()


ALL: Final = _All()
"""Musket's default of `predict_all_to_dataset`; said as well."""


def places_of(experiment: Experiment, fold: Fold, stage: Stage) -> list[Place]:
    """Choose the models that predict together.

    Args:
        experiment: Whose models.
        fold: Which folds.
        stage: Which stages.

    Raises:
        ConfigError: If there is no such fold or stage.
        StateError: If one that was named is not trained, or none is.
    """
    folder, config = experiment.folder, experiment.config
    count = len(recorded_config(folder, config).resolve())
    if count > 1 and (stage is FIRST or stage is ALL):
        _tell_stage(str(folder.root), count, first=stage is FIRST)
    stages = range(count) if stage is None or stage is ALL else numbers(stage)
    folds = None if fold is None else numbers(fold)
    return [
        (own, stage_index(folder, config, number))
        for number in stages
        for own in trained_folds(folder, config, folds, number)
    ]


def numbers(given: int | Sequence[int]) -> tuple[int, ...]:
    """Take one number or several as several.

    Raises:
        ConfigError: If it is neither.
    """
    try:
        return (int(given),) if isinstance(given, int) else tuple(map(operator.index, given))
    except TypeError as error:
        message = f"fold, stage: expected a whole number, several, or None for all, got {given!r}"
        raise ConfigError([Problem("config/musket-argument", "", message)]) from error


@cache
def _tell_stage(root: str, count: int, *, first: bool) -> None:
    logger.warning(
        "%s: %s, as in Musket where no stage is named; stage=-1 is the last",
        root,
        f"stage 0 of {count} predicts" if first else f"{count} stages predict together",
    )
