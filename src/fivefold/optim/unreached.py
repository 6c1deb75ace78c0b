"""What a schedule's options ask for that a stage is too short for."""

from collections.abc import Iterator, Mapping
from typing import Any

from fivefold.optim.schedules import schedules


def never_reached(name: str, options: Any, epochs: int) -> list[tuple[str, str]]:
    """Find the options of a schedule that have no effect within a stage.

    Args:
        name: The schedule.
        options: Its options, checked.
        epochs: Of the stage, at least 1.

    Returns:
        The option in its YAML spelling, and what is never reached.
    """
    component = schedules.get(name)
    find = _OF_SCHEDULES.get(component.name)
    return [*find(component.check(options)[0], epochs)] if find else []


def _of_cosine(options: Mapping[str, Any], epochs: int) -> Iterator[tuple[str, str]]:
    warm = options["warmup_epochs"]
    if warm >= epochs:
        yield "warmup_epochs", f"{warm:g} epochs of warm-up leave nothing to fall in"


def _of_warmup(options: Mapping[str, Any], epochs: int) -> Iterator[tuple[str, str]]:
    warm = options["epochs"]
    if warm > epochs:
        yield "epochs", f"{warm:g} epochs of warm-up never reach the learning rate"


def _of_multi_step(options: Mapping[str, Any], epochs: int) -> Iterator[tuple[str, str]]:
    late = sorted(place for place in options["milestones"] if place >= epochs)
    if late:
        are = "are" if len(late) > 1 else "is"
        yield "milestones", f"{' and '.join(map(str, late))} {are} never reached"


def _of_step(options: Mapping[str, Any], epochs: int) -> Iterator[tuple[str, str]]:
    if options["step_size"] >= epochs:
        yield "step_size", f"{options['step_size']} is never reached"


def _of_step_drop(options: Mapping[str, Any], epochs: int) -> Iterator[tuple[str, str]]:
    if options["steps"] > epochs:
        yield "steps", f"{options['steps']} is never reached"


_OF_SCHEDULES = {
    "MultiStep": _of_multi_step,
    "Step": _of_step,
    "StepDrop": _of_step_drop,
    "Warmup": _of_warmup,
    "cosine": _of_cosine,
}
