"""Which stages of which folds there are, which are finished, which are left."""

from collections.abc import Sequence
from dataclasses import dataclass

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.layout import RunFolder


@dataclass(frozen=True)
class Job:
    """One fold, and the first of its stages that is not finished.

    Attributes:
        fold: 0-based.
        first_stage: Where to go on; the number of stages when all are finished.
        num_stages: How many the experiment has.
    """

    fold: int
    first_stage: int
    num_stages: int

    @property
    def done(self) -> bool:
        """Nothing is left to train."""
        return self.first_stage >= self.num_stages


def make_plan(folder: RunFolder, folds: Sequence[int], num_stages: int) -> tuple[Job, ...]:
    """Look at what is committed in a run folder; a finished stage has weights and bundle."""
    return tuple(
        Job(fold, _finished_stages(folder, fold, num_stages), num_stages) for fold in folds
    )


def choose_folds(wanted: Sequence[int] | None, num_folds: int) -> tuple[int, ...]:
    """Decide which folds to work on.

    Raises:
        ConfigError: If one does not exist.
    """
    if wanted is None:
        return tuple(range(num_folds))
    wrong = [fold for fold in wanted if not 0 <= fold < num_folds]
    if wrong or not wanted:
        message = f"folds: expected numbers from 0 to {num_folds - 1}, got {list(wanted)}"
        raise ConfigError([Problem("config/no-such-fold", "", message)])
    return tuple(sorted(set(wanted)))


def _finished_stages(folder: RunFolder, fold: int, num_stages: int) -> int:
    for stage in range(num_stages):
        if not (folder.bundle(fold, stage).exists() and folder.weights(fold, stage).exists()):
            return stage
    return num_stages
