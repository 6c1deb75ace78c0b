"""From a schedule's name and options to a function from a step to its learning rate."""

from functools import partial
from typing import Any

from fivefold.core.catalog import At, nowhere
from fivefold.core.errors import ConfigError, Problem
from fivefold.optim.schedules import Schedule, constant, schedules


def check_schedule(
    name: str, options: Any, at: At = nowhere, key: str = "schedule"
) -> list[Problem]:
    """Find what is wrong with a schedule's name and options; see `Catalog.problems`.

    What only shows when options meet is the fact `clash` of a schedule, a function of its options
    that says what is wrong, or nothing; what lies inside an option is the fact `inner`.
    """
    problems = schedules.problems(name, options, at, key)
    if problems:
        return problems
    component = schedules.get(name)
    clash, inner = component.facts.get("clash"), component.facts.get("inner")
    found = clash(component.check(options)[0]) if clash else ""
    if found:
        message = f"{key}.{name}: expected options that fit together, got {options}"
        return [Problem("config/bad-value", at(), message, found)]
    return inner(options, at, f"{key}.{name}") if inner else []


def build_schedule(name: str, options: Any) -> Schedule:
    """Make a function from a step's place to its learning rate.

    Raises:
        ConfigError: If the name or an option is wrong.
    """
    problems = check_schedule(name, options)
    if problems:
        raise ConfigError(problems)
    component = schedules.get(name)
    accepted, _ = component.check(options)
    if isinstance(component.make, type):
        made: Schedule = component.make(**accepted)
        return made
    return partial(component.make, **accepted)


def with_decay(schedule: Schedule, decay: float) -> Schedule:
    """Divide a schedule's rates by 1 + decay x steps, as the option `decay` of Keras's optimizers.

    References:
        Keras 2.2.4, `keras/optimizers.py`.
    """
    return lambda now: schedule(now) / (1 + decay * now.step)


def is_callback(name: str) -> bool:
    """Say whether a name is that of a schedule that Musket's configs have among the callbacks."""
    found = schedules.find(name)
    return found is not None and bool(found.facts.get("callback"))


def moves(name: str) -> bool:
    """Say whether a schedule, of any name, gives different steps different rates."""
    found = schedules.find(name)
    return found is None or found.make is not constant
