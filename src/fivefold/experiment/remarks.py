"""What a config may say and can hardly mean: warned of with its line, before anything is read."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from fivefold import build
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.errors import ConfigError
from fivefold.core.types import Head
from fivefold.engine.callbacks import callbacks
from fivefold.evaluation import (
    HOLDOUT,
    base_of,
    direction,
    is_metric,
    monitor_names,
    resolve_monitor,
)
from fivefold.experiment.callback_checks import placed_callbacks
from fivefold.losses import losses, parse_expression
from fivefold.optim import never_reached

logger = logging.getLogger(__name__)

_BETTER = {"min": "lower", "max": "higher"}


def say_what_is_odd(config: ExperimentConfig, stages: Sequence[ResolvedStage]) -> None:
    """Warn once of schedules that a stage is too short for, and of numbers that are turned round.

    Args:
        config: Without problems.
        stages: Its own.
    """
    said = dict.fromkeys(
        line
        for stage in stages
        for line in (*_unreached(config, stage), *_turned_round(config, stage))
    )
    for line in said:
        logger.warning(line)


def say_without_result(
    config: ExperimentConfig, stage: ResolvedStage, heads: Sequence[Head], *, held_out: bool
) -> None:
    """Warn before training that the number will be missing that `experiment_result` names.

    Args:
        config: Names it.
        stage: The last one.
        heads: Of the model.
        held_out: Whether there is a holdout.
    """
    wanted = config.experiment_result or "loss"
    start = f"{config.where('experiment_result')}: experiment_result: expected"
    if wanted.endswith(HOLDOUT) and not held_out:
        logger.warning(
            "%s a holdout to measure %r on, got none: `testSplit: 0.1` makes one", start, wanted
        )
    name = base_of(wanted)
    finals = [final for final, _ in config.final_metrics]
    own = [name] if is_metric(name, of_masks=config.makes_masks) else []
    known = monitor_names([*stage.metrics, *finals, *own], heads)
    if resolve_monitor(f"val_{name}", known) is None:
        outputs = ", ".join(repr(head.name) for head in heads)
        logger.warning("%s a metric of the outputs %s, got %r", start, outputs, wanted)


def say_of_one_true_class(
    config: ExperimentConfig, stages: Sequence[ResolvedStage], heads: Sequence[Head]
) -> None:
    """Warn of losses for exactly one true class where any number of classes may be true.

    Args:
        config: Without problems.
        stages: Its own.
        heads: Of the model.
    """
    for stage in stages:
        texts = stage.losses if len(stage.losses) > 1 else stage.losses * len(heads)
        wrong = [
            term.name
            for text, head in zip(texts, heads, strict=False)
            if head.activation == "sigmoid" and head.num_classes > 1
            for term in parse_expression(text)
            if (known := losses.find(term.name)) and known.facts.get("inputs") == "softmax"
        ]
        if wrong:
            logger.warning(
                "%s: loss: %r is for exactly one true class, but here any number may be: "
                "`binary_crossentropy` learns better",
                config.where(*build.stage_place(config, stage.index, "loss")),
                wrong[0],
            )
            return


def _unreached(config: ExperimentConfig, stage: ResolvedStage) -> Iterator[str]:
    place = build.stage_place(config, stage.index, "schedule")
    for option, why in never_reached(stage.schedule, stage.schedule_options, stage.epochs):
        key = ".".join(map(str, (*place, stage.schedule, option)))
        length = "1 epoch" if stage.epochs == 1 else f"{stage.epochs} epochs"
        where = config.where(*place, stage.schedule, option)
        yield f"{where}: {key}: {why}: stage {stage.index} has {length}"


def _turned_round(config: ExperimentConfig, stage: ResolvedStage) -> Iterator[str]:
    """Find numbers of which the worse ones are to count as the better ones."""
    mode, name = stage.primary_metric_mode, stage.primary_metric
    yield from _against(name, mode, config.where("primary_metric_mode"), "primary_metric_mode")
    for placed in placed_callbacks(config, stage):
        component = callbacks.find(placed.name)
        given = component.as_mapping(placed.value) if component else {}
        if component is None or "mode" not in given or "early_stopping" in placed.place:
            continue  # the short form takes over what was just looked at
        options = component.check(placed.value)[0]
        key = ".".join(map(str, (*placed.place, "mode")))
        where = config.where(*placed.place, "mode")
        yield from _against(options.get("monitor"), options["mode"], where, key)


def _against(name: Any, mode: Any, where: str, key: str) -> Iterator[str]:
    try:
        better = direction(name if isinstance(name, str) else "")
    except ConfigError:  # a callback of one's own may watch what it likes
        return
    if mode in _BETTER and mode != better:
        yield (
            f"{where}: {key}: expected {better!r}, since {name} is better when it is "
            f"{_BETTER[better]}, got {mode!r}: the worst counts as the best"
        )
