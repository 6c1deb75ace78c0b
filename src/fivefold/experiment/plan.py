"""Which stages of which folds there are, which are finished, which are left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fivefold.core.arguments import refuse_argument
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.layout import RunFolder


@dataclass(frozen=True)
class FoldPlan:
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


def make_plan(folder: RunFolder, folds: Sequence[int], num_stages: int) -> tuple[FoldPlan, ...]:
    """Look at what is committed in a run folder; a finished stage has all its results."""
    return tuple(
        FoldPlan(fold, _finished_stages(folder, fold, num_stages), num_stages) for fold in folds
    )


def choose_folds(wanted: Sequence[int] | None, num_folds: int) -> tuple[int, ...]:
    """Decide which folds to work on.

    Raises:
        ConfigError: If one does not exist.
    """
    if wanted is None:
        return tuple(range(num_folds))
    if not isinstance(wanted, Iterable):
        refuse_argument("folds", "several numbers", wanted)
    wrong = [fold for fold in wanted if fold not in range(num_folds)]
    if wrong or not wanted:
        message = f"folds: expected numbers from 0 to {num_folds - 1}, got {list(wanted)}"
        raise ConfigError([Problem("config/no-such-fold", "", message)])
    return tuple(sorted(set(wanted)))


def has_begun(folder: RunFolder) -> bool:
    """Say whether anything was trained here."""
    return any(
        path.is_file() for name in ("weights", "state") for path in (folder.root / name).rglob("*")
    )


def trained_folds(folder: RunFolder, folds: Sequence[int], stage: int) -> tuple[int, ...]:
    """Name those folds whose weights of a stage are there."""
    return tuple(fold for fold in folds if folder.bundle(fold, stage).exists())


def instead_of(folder: RunFolder, folds: Sequence[int], stage: int) -> str:
    """Say which earlier stage more of the folds have finished, and how to use it; else nothing."""
    fewest = len(trained_folds(folder, folds, stage))
    for earlier in reversed(range(stage)):
        found = trained_folds(folder, folds, earlier)
        if len(found) > fewest:
            which = (
                ""
                if len(found) == len(folds)
                else f" in fold{'s' * (len(found) > 1)} {', '.join(map(str, found))}"
            )
            return f"stage {earlier} is trained{which}: `--stage {earlier}` uses it"
    return ""


def left_epochs(plans: Sequence[FoldPlan], epochs: Sequence[int]) -> dict[int, int]:
    """Count for each stage the epochs that are left over all folds.

    Args:
        plans: What there is to do.
        epochs: How many each stage has.
    """
    return {
        stage: count * sum(plan.first_stage <= stage for plan in plans)
        for stage, count in enumerate(epochs)
    }


def _finished_stages(folder: RunFolder, fold: int, num_stages: int) -> int:
    for stage in range(num_stages):
        if not all(path.exists() for path in folder.results(fold, stage)):
            return stage
    return num_stages
