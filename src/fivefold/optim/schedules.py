"""Learning rates over a stage, as pure functions of how much of it is done.

A schedule is `def name(progress, *, options) -> factor`: it keeps no state, so a resumed run needs
none. The factor multiplies the stage's `lr`.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from fivefold.core.catalog import Catalog, nowhere
from fivefold.core.errors import ConfigError

Schedule: TypeAlias = Callable[[float], float]
Share = Annotated[float, Field(gt=0, lt=1)]
Divisor = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=0, le=1)]

schedules: Catalog[float] = Catalog("schedule")


@schedules.add()
def constant(progress: float) -> float:  # noqa: ARG001  every schedule is asked the same way
    """Keep the stage's learning rate."""
    return 1.0


@schedules.add("one_cycle", "OneCycleLR", name="OneCycle")
def one_cycle(
    progress: float,
    *,
    pct_start: Share = 0.3,
    div_factor: Divisor = 25.0,
    final_div_factor: Divisor = 1e4,
) -> float:
    """Rise to the stage's learning rate, then fall far below the start, both along a cosine.

    Args:
        progress: Part of the stage's steps that are done, 0-1.
        pct_start: Part of the stage in which it rises.
        div_factor: The stage's learning rate divided by the first.
        final_div_factor: The first learning rate divided by the last.
    """
    first = 1 / div_factor
    if progress < pct_start:
        return _along_cosine(first, 1.0, progress / pct_start)
    return _along_cosine(1.0, first / final_div_factor, (progress - pct_start) / (1 - pct_start))


@schedules.add("CosineAnnealing", "CosineAnnealingLR", "cosine_annealing")
def cosine(progress: float, *, final_factor: Factor = 0.0) -> float:
    """Fall from the stage's learning rate along a cosine.

    Args:
        progress: Part of the stage's steps that are done, 0-1.
        final_factor: The last learning rate divided by the first.
    """
    return _along_cosine(1.0, final_factor, progress)


def build_schedule(name: str, options: Mapping[str, Any]) -> Schedule:
    """Make a function from progress (0-1) to the factor of the stage's learning rate.

    Raises:
        ConfigError: If the name or an option is wrong.
    """
    problems = schedules.problems(name, options, nowhere, "schedule")
    if problems:
        raise ConfigError(problems)
    component = schedules.get(name)
    accepted, _ = component.check(options)
    return partial(component.make, **accepted)


def _along_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
