"""Which stages and folds of an experiment there are to predict with."""

import logging
from collections.abc import Sequence

from fivefold.config import ExperimentConfig
from fivefold.core.arguments import as_whole
from fivefold.core.errors import ConfigError, Problem, StateError
from fivefold.core.layout import RunFolder
from fivefold.experiment.finished import recorded_config
from fivefold.experiment.plan import choose_folds, instead_of, make_plan
from fivefold.experiment.plan import trained_folds as folds_with_weights

logger = logging.getLogger(__name__)


def stage_index(folder: RunFolder, config: ExperimentConfig, stage: int) -> int:
    """Count a stage from the first; -1 is the last.

    Args:
        folder: The experiment.
        config: Its config as it is now; what was trained says how many stages there are.
        stage: Which one.

    Raises:
        ConfigError: If there is no such stage.
    """
    count = len(recorded_config(folder, config).resolve())
    if not -count <= as_whole("stage", stage) < count:
        message = f"stage: expected a number from 0 to {count - 1}, got {stage}"
        raise ConfigError([Problem("config/no-such-stage", "", message)])
    return stage % count


def check_stages_before(
    folder: RunFolder,
    config: ExperimentConfig,
    folds: Sequence[int] | None,
    stage: int,
    name: str,
) -> None:
    """Make sure that training would begin at a stage or later; loads no torch.

    Args:
        folder: The experiment.
        config: Its config.
        folds: Which ones; all if not given.
        stage: Stages before this one must be finished in each of them.
        name: What asks for it, for messages.

    Raises:
        ConfigError: If there is no such fold or stage.
        StateError: If a stage before is not finished.
    """
    count = len(config.stages)
    if not 0 <= stage < count:
        message = f"{name}: expected from 0 to {count - 1}, got {stage}"
        raise ConfigError([Problem("config/no-such-stage", "", message)])
    plans = make_plan(folder, choose_folds(folds, config.folds_count), count)
    missing = [plan.fold for plan in plans if plan.first_stage < stage]
    if missing:
        msg = (
            f"{folder.root}: {name}: expected stages before {stage} to be finished, got others in "
            f"folds {missing}"
        )
        raise StateError(msg, hint="fit without it trains them", slug="state/not-trained")


def trained_folds(
    folder: RunFolder, config: ExperimentConfig, folds: Sequence[int] | None, stage: int
) -> tuple[int, ...]:
    """Choose the folds whose model of a stage predicts.

    Args:
        folder: The experiment.
        config: Its config as it is now.
        folds: Which ones; all that are trained if not given, and what is missing is warned of.
        stage: Which stage; -1 is the last.

    Raises:
        ConfigError: If there is no such fold or stage.
        StateError: If one that was named is not trained, or none is.
    """
    index = stage_index(folder, config, stage)
    wanted = choose_folds(folds, recorded_config(folder, config).folds_count)
    trained = folds_with_weights(folder, wanted, index)
    instead = instead_of(folder, wanted, index)
    if not trained or (folds is not None and len(trained) < len(wanted)):
        missing = sorted(set(wanted) - set(trained))
        msg = f"{folder.root}: expected trained folds of stage {index}, got none for {missing}"
        hint = f"`fivefold fit {folder.argument}` trains them"
        hint = f"{instead}; {hint}" if instead else hint
        raise StateError(msg, hint=hint, slug="state/not-trained")
    if folds is None and len(trained) < len(wanted):
        found = f"{len(trained)} of {len(wanted)} folds are trained: {list(trained)}"
        logger.warning("%s", f"{found}; {instead}" if instead else found)
    return trained
