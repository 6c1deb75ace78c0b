"""Names and options of a config against the catalogs; no data is read, nothing is built."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fivefold.augment import augmenters, check_augmentation
from fivefold.build.heads import ACTIVATIONS
from fivefold.config import LATER, ExperimentConfig, ResolvedStage
from fivefold.core.catalog import Catalog
from fivefold.core.errors import Problem, did_you_mean
from fivefold.evaluation import is_known, metrics
from fivefold.losses import ExpressionError, check_loss, loss_names, losses
from fivefold.models import backbone_problem
from fivefold.optim import optimizers, schedules

Place = tuple[str | int, ...]


def check(config: ExperimentConfig) -> list[Problem]:
    """Find everything that the catalogs do not know, or that this version cannot do yet.

    Returns:
        Each problem once, in the order of the file.
    """
    problems = [*config.not_yet(), *_missing(config), *_activations(config), *_metrics(config)]
    if config.architecture:
        problems += _some(backbone_problem(config.architecture, config.where("architecture")))
    for stage in config.resolve():
        problems += _stage(config, stage)
    return list(dict.fromkeys(problems))


def not_yet(kind: str, name: str, where: str, key: str) -> Problem | None:
    """Word the problem of a name that a later version brings; None if it is not one."""
    if name.casefold() not in LATER.get(kind, ()):
        return None
    message = f"{key}: {kind} {name!r} is not yet supported"
    hint = f"`fivefold list {kind}` names what this version has"
    return Problem("config/not-yet", where, message, hint)


def stage_place(config: ExperimentConfig, index: int, key: str) -> Place:
    """Say where a stage's value of a key stands: at the stage, or else at the experiment."""
    stages = config.stages or ()
    own = getattr(stages[index], key, None) if index < len(stages) else None
    return ("stages", index, key) if own else (key,)


def unknown_monitor(name: str, known: Sequence[str], where: str, key: str) -> Problem:
    """Word the problem of a number that no epoch will have."""
    message = f"{key}: expected a number that each epoch has, got {name!r}"
    bare = name.removeprefix("val_")
    otherwise = f"`metrics` gives {', '.join(known[:6])}"
    hint = f"add {bare!r} to `metrics`" if is_known(bare) else did_you_mean(name, known, otherwise)
    return Problem("config/unknown-monitor", where, message, hint)


def _some(problem: Problem | None) -> list[Problem]:
    return [] if problem is None else [problem]


def _missing(config: ExperimentConfig) -> list[Problem]:
    examples = {
        "architecture": "for example `architecture: EfficientNetLite0`",
        "stages": "for example `stages: [{epochs: 10}]`",
    }
    return [
        Problem("config/missing-key", config.where(), f"{key}: required, but not set", hint)
        for key, hint in examples.items()
        if not getattr(config, key)
    ]


def _activations(config: ExperimentConfig) -> list[Problem]:
    value = config.activation
    names = [value] if isinstance(value, str) else list(value or ())
    where = config.where("activation")
    problems = []
    for name in names:
        if name.casefold() in ACTIVATIONS:
            continue
        later = not_yet("activation", name, where, "activation")
        message = f"activation: expected 'softmax', 'sigmoid' or 'none', got {name!r}"
        hint = did_you_mean(name, ACTIVATIONS)
        problems.append(later or Problem("config/unknown-name", where, message, hint))
    return problems


def _metrics(config: ExperimentConfig) -> list[Problem]:
    problems = []
    for position, name in enumerate(config.metrics or ()):
        if is_known(name):
            continue
        where = config.where("metrics", position)
        message = f"metrics: expected the name of a known metric, got {name!r}"
        hint = did_you_mean(name, metrics.spellings(), "`fivefold list metric` names all of them")
        later = not_yet("metric", name, where, "metrics")
        problems.append(later or Problem("config/unknown-name", where, message, hint))
    return problems


def _stage(config: ExperimentConfig, stage: ResolvedStage) -> list[Problem]:
    def at(key: str, *rest: str | int) -> str:
        return config.where(*stage_place(config, stage.index, key), *rest)

    def named(key: str) -> str:
        return ".".join(map(str, stage_place(config, stage.index, key)))

    return [
        *_augmentation(stage, at),
        *(p for text in stage.losses for p in _loss(text, at("loss"), named("loss"))),
        *_option(optimizers, stage.optimizer, stage.optimizer_options, at, named("optimizer")),
        *_option(schedules, stage.schedule, stage.schedule_options, at, named("schedule")),
    ]


def _augmentation(stage: ResolvedStage, at: Callable[..., str]) -> list[Problem]:
    problems = []
    for name, value in stage.augmentation:
        if augmenters.find(name):
            problems += check_augmentation([(name, value)], at)
            continue
        where = at("augmentation", name)
        later = not_yet("augmenter", name, where, "augmentation")
        problems.append(later or augmenters.unknown(name, where, "augmentation"))
    return problems


def _loss(text: str, where: str, key: str) -> list[Problem]:
    try:
        names = loss_names(text)
    except ExpressionError:
        return check_loss(text, where, key)
    unknown = [name for name in names if losses.find(name) is None]
    later = [not_yet("loss", name, where, key) for name in unknown]
    found = [problem for problem in later if problem]
    return found if found and len(found) == len(unknown) else check_loss(text, where, key)


def _option(
    catalog: Catalog[Any],
    name: str,
    options: Mapping[str, Any],
    at: Callable[..., str],
    key: str,
) -> Iterable[Problem]:
    bare = key.rpartition(".")[2]
    component = catalog.find(name)
    if component is None:
        return [catalog.unknown(name, at(bare), key)]
    return [
        Problem(
            f"config/{complaint.kind}",
            at(bare, name, *complaint.path),
            ".".join(map(str, (key, name, *complaint.path))) + f": {complaint.message}",
            complaint.hint,
        )
        for complaint in component.check(options)[1]
    ]
