"""The metrics that a config names, and the numbers that it wants to watch; no data is read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fivefold.config import ExperimentConfig
from fivefold.core.errors import Problem, closest, did_you_mean
from fivefold.core.types import Head
from fivefold.evaluation import (
    REFUSED,
    base_of,
    is_metric,
    mask_metric_problem,
    mask_metrics,
    metrics,
)

Place = tuple[str | int, ...]


def metric_problems(config: ExperimentConfig) -> list[Problem]:
    """Find names that are no metrics, and options that final metrics do not have."""
    problems = [
        problem
        for place, name in _named_metrics(config)
        if (problem := _problem(config, name, place)) is not None
    ]
    return problems + [
        _bad_final(name, options, config.where("final_metrics", name))
        for name, options in config.final_metrics
        if not _is_final(options)
    ]


def mask_metric_problems(config: ExperimentConfig, head: Head) -> list[Problem]:
    """Find metrics that masks of these classes do not have, such as of a class that is none.

    Args:
        config: Without problems of `metric_problems`.
        head: Of the model.
    """
    return [
        replace(problem, where=config.where(*place), message=f"{place[0]}: {problem.message}")
        for place, name in _named_metrics(config)
        if (problem := mask_metric_problem(name, head)) is not None
    ]


def unknown_monitor(
    name: str, known: Sequence[str], where: str, key: str, *, of_masks: bool = False
) -> Problem:
    """Word the problem of a number that no epoch will have."""
    message = f"{key}: expected a number that each epoch has, got {name!r}"
    bare = name.removeprefix("val_")
    hint = f"add {bare!r} to `metrics`"
    if not is_metric(bare, of_masks=of_masks):
        catalog = mask_metrics if of_masks else metrics
        hint = _meant_by(name, known, catalog.spellings())
    return Problem("config/unknown-monitor", where, message, hint)


def _meant_by(name: str, known: Sequence[str], spellings: Sequence[str]) -> str:
    """Propose a number that there is, or one that there would be with another metric."""
    others = {f"val_{spelling}": spelling for spelling in spellings}
    # all of them begin alike, which makes no name like another
    bare = name.removeprefix("val_")
    near = [c for c in [*known, *others] if closest(bare, [c.removeprefix("val_")])]
    match = closest(name, near)
    if match is None:
        return f"`metrics` adds to what there is: {', '.join(known[:6])}"
    more = "" if match in known else f" then add {others[match]!r} to `metrics`"
    return f"did you mean {match!r}?{more}"


def _named_metrics(config: ExperimentConfig) -> Iterator[tuple[Place, str]]:
    finals = [name for name, _ in config.final_metrics]
    yield from ((("metrics", i), name) for i, name in enumerate(config.metrics))
    yield from ((("final_metrics", name), name) for name in finals)
    result = base_of(config.experiment_result or "loss")
    of_a_head = any(result.endswith(f"_{name}") for name in [*config.metrics, *finals])
    if result != "loss" and not of_a_head:
        yield ("experiment_result",), result


def _problem(config: ExperimentConfig, name: str, place: Place) -> Problem | None:
    """Say what keeps a name from being a metric, as far as it shows without the classes."""
    if is_metric(name, of_masks=config.makes_masks):
        return None
    where, key = config.where(*place), str(place[0])
    if base_of(name).casefold() == "loss":
        message = f"{key}: expected the name of a known metric, got {name!r}"
        hint = "losses are measured in every epoch; `primary_metric` and monitors name them"
        return Problem("config/unknown-name", where, message, hint)
    if not config.makes_masks:
        return _unknown(name, where, key)
    problem = mask_metric_problem(name)
    return problem and replace(problem, where=where, message=f"{key}: {problem.message}")


def _unknown(name: str, where: str, key: str) -> Problem:
    reason = REFUSED.get(name.casefold())
    if reason:
        message = f"{key}: expected something that can be measured, got {name!r}"
        return Problem("config/refused-metric", where, message, reason)
    message = f"{key}: expected the name of a known metric, got {name!r}"
    if mask_metrics.find(name) is not None:
        hint = "it is a metric of masks, and the experiment classifies images as a whole"
        return Problem("config/unknown-name", where, message, hint)
    hint = did_you_mean(name, metrics.spellings(), "`fivefold list metrics` names all of them")
    return Problem("config/unknown-name", where, message, hint)


def _is_final(options: object) -> bool:
    if options is None:
        return True
    keys = options if isinstance(options, dict) else {"": None}
    return keys.keys() <= {"for_validation"} and all(isinstance(v, bool) for v in keys.values())


def _bad_final(name: str, options: object, where: str) -> Problem:
    message = f"final_metrics.{name}: expected nothing or {{for_validation: true}}, got {options!r}"
    return Problem("config/bad-value", where, message)
