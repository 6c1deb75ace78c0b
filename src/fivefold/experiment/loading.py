"""From a YAML file to a config in which every name means something."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fivefold import build
from fivefold.config import (
    ExperimentConfig,
    InvalidConfigError,
    ResolvedStage,
    in_order,
    load,
)
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.types import Head
from fivefold.evaluation import is_known, monitor_names, resolve_monitor
from fivefold.experiment.callback_checks import (
    callback_problems,
    check_extras,
    placed_callbacks,
    say_what_is_idle,
    unused_problems,
    with_columns,
)
from fivefold.experiment.imports import import_modules
from fivefold.experiment.named_files import missing_files
from fivefold.experiment.remarks import say_what_is_odd


def load_checked(
    path: Path, overrides: Sequence[str] = (), *, allow_imports: bool = False
) -> ExperimentConfig:
    """Read a config and hold every name and option against the catalogs; reads no data.

    What shows only when something is made comes last, of a config that has no other problem; that
    loads torch.

    Args:
        path: A YAML file.
        overrides: `key=value` each.
        allow_imports: Whether the config may name Python code to run.

    Raises:
        ConfigError: With every problem.
        UnsafeInputError: If the config names code and that was not allowed.
        MissingExtraError: If a callback needs a package that is not installed.
    """
    config = load_named(path, overrides, allow_imports=allow_imports)
    check_extras(config, config.resolve())
    impossible = build.try_out(config)
    if impossible:
        raise ConfigError(in_order([*impossible, *missing_files(config)]))
    say_what_is_idle(config, config.resolve())
    say_what_is_odd(config, config.resolve())
    return config


def load_named(
    path: Path, overrides: Sequence[str] = (), *, allow_imports: bool = False
) -> ExperimentConfig:
    """Read a config and tell all that is wrong in the file itself, without loading torch.

    Of a config that is wrong, files that it names and that are missing are told too. Alone they are
    no fault here: what is trained already is predicted with after its data are gone.

    Args:
        path: A YAML file.
        overrides: `key=value` each.
        allow_imports: Whether the config may name Python code to run.

    Raises:
        ConfigError: With every problem.
        UnsafeInputError: If the config names code and that was not allowed.
    """
    try:
        config = load(path, overrides)
    except InvalidConfigError as error:
        usable = error.usable
        further = _check(usable, allow_imports=allow_imports) if usable else []
        further += missing_files(usable) if usable else []
        raise ConfigError(in_order(dict.fromkeys([*error.problems, *further]))) from error
    problems = _check(config, allow_imports=allow_imports)
    if problems:
        raise ConfigError(in_order([*problems, *missing_files(config)]))
    return config


def settle_monitors(
    config: ExperimentConfig, stages: Sequence[ResolvedStage], heads: Sequence[Head]
) -> tuple[ResolvedStage, ...]:
    """Give every monitor the name of the column that it means.

    Args:
        config: Tells where things stand.
        stages: With their callbacks and metrics.
        heads: They give the metrics of several outputs their names.

    Raises:
        ConfigError: Names each monitor that no epoch will have, and what to add to `metrics`.
    """
    problems = [problem for stage in stages for problem in _monitors(config, stage, heads)]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return tuple(_settled(stage, monitor_names(stage.metrics, heads)) for stage in stages)


def _settled(stage: ResolvedStage, known: Sequence[str]) -> ResolvedStage:
    column_of = partial(resolve_monitor, available=known)
    steps = tuple(with_columns(name, value, column_of) for name, value in stage.callbacks)
    primary = resolve_monitor(stage.primary_metric, known) or stage.primary_metric
    return replace(stage, callbacks=steps, primary_metric=primary)


def _check(config: ExperimentConfig, *, allow_imports: bool) -> list[Problem]:
    import_modules(config, allowed=allow_imports)
    problems = build.check(config)
    for stage in config.resolve():
        problems += callback_problems(config, stage)
        problems += _monitors(config, stage, None)
    problems += unused_problems(config)
    return list(dict.fromkeys(problems))


def _monitors(
    config: ExperimentConfig, stage: ResolvedStage, heads: Sequence[Head] | None
) -> list[Problem]:
    """Find monitors that no epoch will have; without heads, those that no head can have."""
    known = monitor_names(stage.metrics, heads or ())
    wanted = {config.where("primary_metric"): ("primary_metric", stage.primary_metric)}
    for placed in placed_callbacks(config, stage):
        if placed.monitor is not None:
            key = ".".join(map(str, (*placed.place, "monitor")))
            wanted[config.where(*placed.place, "monitor")] = (key, placed.monitor)
    return [
        build.unknown_monitor(name, known, where, key, of_masks=stage.makes_masks)
        for where, (key, name) in wanted.items()
        if resolve_monitor(name, known) is None
        and not (heads is None and _may_name_a_head(name, stage))
    ]


def _may_name_a_head(monitor: str, stage: ResolvedStage) -> bool:
    """Say whether a number may be a head's own, such as `val_size_accuracy`."""
    name = monitor.removeprefix("val_")
    if stage.makes_masks:  # there is one head, which has no name
        return False
    ends = ["_loss"] if monitor != name else []
    ends += [f"_{metric}" for metric in stage.metrics]
    return not is_known(name) and name.endswith(tuple(ends))
