"""A config's callbacks against the catalogs: names, options, and who owns the learning rate."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fivefold import build
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.catalog import At
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.optional import check_installed
from fivefold.engine.callbacks import REFUSED, callbacks
from fivefold.optim import (
    check_schedule,
    is_callback,
    last_of_chain,
    moves,
    rate_decay,
    schedules,
)

logger = logging.getLogger(__name__)

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Placed:
    """A callback of a stage, and where it stands in the config.

    Attributes:
        name: As it was written.
        value: What stands behind it.
        place: Keys and positions that lead to it.
    """

    name: str
    value: Any
    place: Place

    @property
    def key(self) -> str:
        """The key that holds it, such as "stages.0.callbacks"."""
        return ".".join(map(str, self.place[:-1]))

    @property
    def monitor(self) -> str | None:
        """What it watches; None if it watches nothing, or no text."""
        component = callbacks.find(self.name)
        found = component.as_mapping(self.value).get("monitor") if component else None
        return found if isinstance(found, str) else None


def placed_callbacks(config: ExperimentConfig, stage: ResolvedStage) -> list[Placed]:
    """List a stage's callbacks with their places, those at the ends of chains too."""
    own = (config.stages or ())[stage.index]
    prefix: Place = ("stages", stage.index)
    first: Place = ("callbacks",) if own.callbacks is None else (*prefix, "callbacks")
    listed = config.callbacks if own.callbacks is None else own.callbacks
    places: list[Place] = [(*first, name) for name, _ in listed]
    places += [(*prefix, "extra_callbacks", name) for name, _ in own.extra_callbacks]
    short: Place = (*(() if own.early_stopping is None else prefix), "early_stopping")
    of_short_forms: Mapping[str, Place] = {
        "EarlyStopping": short,
        "StepLogger": (*prefix, "logAll"),
        "TrainExamples": ("showDataExamples",),
    }
    places += [(*of_short_forms[name], name) for name, _ in stage.callbacks[len(places) :]]
    found = []
    for (name, value), place in zip(stage.callbacks, places, strict=True):
        found.append(Placed(name, value, place))
        last = last_of_chain(value) if is_callback(name) else None
        if last is not None:
            path, inner, options = last
            found.append(Placed(inner, options, (*place, *path)))
    return found


def callback_problems(config: ExperimentConfig, stage: ResolvedStage) -> list[Problem]:
    """Find names that are unknown or refused, wrong options, and two owners of the rate."""
    placed = placed_callbacks(config, stage)
    return [
        *(problem for each in placed for problem in _problems(config, each)),
        *_owner_problems(config, stage, placed),
    ]


def unused_problems(config: ExperimentConfig) -> list[Problem]:
    """Find what is wrong with the experiment's callbacks that each stage replaces by its own."""
    placed = (Placed(name, value, ("callbacks", name)) for name, value in config.callbacks)
    return [problem for each in placed for problem in _problems(config, each)]


def with_columns(
    name: str, value: Any, column_of: Callable[[str], str | None]
) -> tuple[str, dict[str, Any]]:
    """Give a callback all its options, its monitor the name of the column that it means.

    Args:
        name: As it was written.
        value: What stands behind it, checked.
        column_of: From a monitor to its column.
    """
    if is_callback(name):
        return name, _chain_with_columns(schedules.get(name).as_mapping(value), column_of)
    options = callbacks.get(name).check(value)[0]
    if "monitor" in options:
        options["monitor"] = column_of(options["monitor"])
    return name, options


def check_extras(config: ExperimentConfig, stages: Sequence[ResolvedStage]) -> None:
    """Make sure that the packages are there which callbacks need.

    Raises:
        MissingExtraError: Names the first that is not.
    """
    for stage in stages:
        for each in placed_callbacks(config, stage):
            component = callbacks.find(each.name)
            needs = component.facts.get("needs") if component else None
            if component and needs:
                what = f"{config.where(*each.place)}: {component.name}"
                check_installed(needs[0], extra=needs[1], what=what)


def say_what_is_idle(config: ExperimentConfig, stages: Sequence[ResolvedStage]) -> None:
    """Warn once of each callback, or option of one, that has no effect."""
    said = dict.fromkeys(
        f"{config.where(*each.place)}: {each.name}: has no effect: {reason}"
        for stage in stages
        for each in placed_callbacks(config, stage)
        for reason in _idle(each)
    )
    for line in said:
        logger.warning(line)


def _chain_with_columns(
    value: Mapping[str, Any], column_of: Callable[[str], str | None]
) -> dict[str, Any]:
    then = value.get("then")
    if not then:
        return dict(value)
    ((name, options),) = then.items()
    return {**value, "then": dict([with_columns(name, options, column_of)])}


def _problems(config: ExperimentConfig, placed: Placed) -> list[Problem]:
    at: At = partial(config.where, *placed.place)
    if is_callback(placed.name):
        return check_schedule(placed.name, placed.value, at, placed.key)
    if callbacks.find(placed.name):
        return callbacks.problems(placed.name, placed.value, at, placed.key)
    for name, reason in REFUSED.items():
        if name.casefold() == placed.name.casefold():
            message = f"{placed.key}: {name}: expected a callback that this can be done without"
            return [Problem("config/refused-callback", at(), message, reason)]
    known = [*callbacks.spellings(), *filter(is_callback, schedules.names())]
    message = f"{placed.key}: expected the name of a known callback, got {placed.name!r}"
    hint = did_you_mean(placed.name, known, "`fivefold list callbacks` names all of them")
    return [Problem("config/unknown-name", at(), message, hint)]


def _owner_problems(
    config: ExperimentConfig, stage: ResolvedStage, placed: Sequence[Placed]
) -> Iterator[Problem]:
    """Find a second owner of the learning rate: each would undo what the other does."""
    owners = [*_other_owners(config, stage)]
    in_chains = {each.place for each in placed if "then" in each.place}
    owners += [
        (f"{each.key}.{each.name}", config.where(*each.place))
        for each in placed
        if each.place not in in_chains and _owns_rate(each.name)
    ]
    for key, where in owners[1:]:
        first, there = owners[0]
        message = f"{key}: expected one owner of the learning rate, got {first} too, at {there}"
        hint = "remove one of them"
        if first.startswith("schedule."):
            hint += "; `schedule: constant` in a stage takes the experiment's away"
        yield Problem("config/two-rates", where, message, hint)


def _other_owners(config: ExperimentConfig, stage: ResolvedStage) -> Iterator[tuple[str, str]]:
    if moves(stage.schedule):
        place = build.stage_place(config, stage.index, "schedule")
        yield _spelled(place, stage.schedule), config.where(*place)
    decay = stage.optimizer_options.get("decay")
    if decay and not isinstance(decay, str) and rate_decay(stage.optimizer, {"decay": decay}):
        place = build.stage_place(config, stage.index, "optimizer")
        where = config.where(*place, stage.optimizer, "decay")
        yield f"{_spelled(place, stage.optimizer)}.decay", where


def _spelled(place: Place, name: str) -> str:
    return f"{'.'.join(map(str, place))}.{name}"


def _owns_rate(name: str) -> bool:
    if is_callback(name):
        return True
    component = callbacks.find(name)
    return component is not None and bool(component.facts.get("moves_rate"))


def _idle(placed: Placed) -> list[str]:
    component = callbacks.find(placed.name)
    idle = component.facts.get("idle") if component else None
    if component is None or idle is None:
        return []
    return [*idle(component.check(placed.value)[0])]
