"""Whether as many samples of each class can be drawn from the data that there are."""

from collections.abc import Sequence

from fivefold.build.checks import stage_place
from fivefold.config import NO_SAMPLING, ExperimentConfig, ResolvedStage
from fivefold.core.errors import ConfigError, Problem
from fivefold.data import Labels


def check_sampling(
    config: ExperimentConfig, stages: Sequence[ResolvedStage], labels: Sequence[Labels]
) -> None:
    """Refuse to draw as many of each class where a sample may have several, or none.

    Args:
        config: For messages.
        stages: What is trained.
        labels: Of the data.

    Raises:
        ConfigError: With the line of each such key.
    """
    wanting = [stage for stage in stages if stage.sampling != NO_SAMPLING]
    if not wanting or (len(labels) == 1 and labels[0].exclusive):
        return
    got = f"{len(labels)} outputs" if len(labels) != 1 else "labels of which several may be true"
    hint = "`balance: weights` is for any labels: it weighs true and false answers of each class"
    problems = []
    for stage in wanting:
        place = stage_place(config, stage.index, "balance")
        key = ".".join(map(str, place))
        message = f"{key}: expected one output whose classes exclude each other, got {got}"
        problems.append(Problem("config/balance", config.where(*place), message, hint))
    raise ConfigError(list(dict.fromkeys(problems)))
