"""Names and options of a config against the catalogs; no data is read."""

from collections.abc import Iterator, Sequence
from functools import partial

from fivefold.augment import check_augmentation, located
from fivefold.build.heads import ACTIVATIONS, REFUSED_ACTIVATIONS
from fivefold.build.mask_checks import mask_problems
from fivefold.build.metric_checks import metric_problems
from fivefold.config import Choice, ExperimentConfig, ResolvedStage, Steps, as_names
from fivefold.core.catalog import At
from fivefold.core.errors import Problem, did_you_mean
from fivefold.core.segmenters import ARCHITECTURES, own_segmenters
from fivefold.losses import check_loss, check_mask_loss, weigh_nothing
from fivefold.models import backbone_problem
from fivefold.models.activations import ACTIVATIONS as BETWEEN_LAYERS
from fivefold.optim import check_optimizer, check_schedule, try_optimizer

Place = tuple[str | int, ...]


def check(config: ExperimentConfig) -> list[Problem]:
    """Find everything that the catalogs do not know, or that this version cannot do yet.

    Nothing is built, and torch is not loaded: a config with a typing mistake is answered at once.

    Returns:
        Each problem once, in the order of the file.
    """
    problems = [*config.not_yet(), *_missing(config), *_activations(config)]
    problems += config.unfit_decisions()
    problems += metric_problems(config)
    problems += _head_layers(config)
    if config.architecture and not config.makes_masks:
        problems += _some(
            backbone_problem(
                config.architecture,
                config.where("architecture"),
                others=[*own_segmenters.spellings(), *ARCHITECTURES],
            )
        )
    problems += mask_problems(config)
    transforms_at = partial(config.where, "transforms")
    channels = config.shape[2]
    problems += check_augmentation(
        config.transforms, transforms_at, "transforms", masks=False, channels=channels
    )
    for stage in config.resolve():
        problems += _stage(config, stage)
    problems += _experiment(config)
    return list(dict.fromkeys(problems))


def try_out(config: ExperimentConfig) -> list[Problem]:
    """Find what only shows in a config without other problems, by making things; loads torch."""
    problems = []
    for stage in config.resolve():
        place = stage_place(config, stage.index, "optimizer")
        key, at = ".".join(map(str, place)), partial(config.where, *place, stage.optimizer)
        problems += try_optimizer(stage.optimizer, stage.optimizer_options, at, key)
    return list(dict.fromkeys(problems))


def stage_place(config: ExperimentConfig, index: int, key: str) -> Place:
    """Say where a stage's value of a key stands: at the stage, or else at the experiment."""
    stages = config.stages or ()
    own = getattr(stages[index], key, None) if index < len(stages) else None
    return ("stages", index, key) if own else (key,)


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
        reason = REFUSED_ACTIVATIONS.get(name.casefold())
        slug = "config/refused-activation" if reason else "config/unknown-name"
        message = f"activation: expected 'softmax', 'sigmoid' or 'none', got {name!r}"
        problems.append(Problem(slug, where, message, reason or did_you_mean(name, ACTIVATIONS)))
    return problems


def _head_layers(config: ExperimentConfig) -> Iterator[Problem]:
    name = config.head_activation
    if name.casefold() not in BETWEEN_LAYERS:
        message = f"head_activation: expected an activation between layers, got {name!r}"
        hint = did_you_mean(name, BETWEEN_LAYERS, f"known are {', '.join(BETWEEN_LAYERS)}")
        yield Problem("config/unknown-name", config.where("head_activation"), message, hint)
    for stage in config.resolve():
        if config.head_batchnorm and stage.batch == 1:
            place = stage_place(config, stage.index, "batch")
            message = f"{'.'.join(map(str, place))}: expected at least 2, got 1"
            hint = "`head_batchnorm` compares the samples of a batch with each other"
            yield Problem("config/bad-value", config.where(*place), message, hint)


def _stage(config: ExperimentConfig, stage: ResolvedStage) -> list[Problem]:
    optimizer = Choice(stage.optimizer, stage.optimizer_options)
    schedule = Choice(stage.schedule, stage.schedule_options)
    return _parts(config, stage.index, stage.augmentation, stage.losses, (optimizer, schedule))


def _experiment(config: ExperimentConfig) -> list[Problem]:
    """Check what the experiment names, also where every stage has its own or there is none."""
    beyond = len(config.stages or ())
    choices = config.optimizer, config.schedule
    return _parts(config, beyond, config.augmentation, as_names(config.loss), choices)


def _parts(
    config: ExperimentConfig,
    index: int,
    augmentation: Steps,
    losses: Sequence[str],
    choices: tuple[Choice, Choice],
) -> list[Problem]:
    """Check what a stage names; an index beyond the stages means the experiment itself."""
    optimizer, schedule = choices

    def at(key: str, *rest: str | int) -> str:
        return config.where(*stage_place(config, index, key), *rest)

    def key_of(key: str) -> str:
        return ".".join(map(str, stage_place(config, index, key)))

    optimizer_at = partial(at, "optimizer", optimizer.name)
    schedule_at = partial(at, "schedule", schedule.name)
    return [
        *check_augmentation(
            located(augmentation, config.directory),
            partial(at, "augmentation"),
            key_of("augmentation"),
            masks=config.makes_masks,
            channels=config.shape[2],
        ),
        *_losses(config, losses, partial(at, "loss"), key_of("loss")),
        *check_optimizer(*optimizer, optimizer_at, key_of("optimizer")),
        *check_schedule(*schedule, schedule_at, key_of("schedule")),
    ]


def _losses(config: ExperimentConfig, texts: Sequence[str], at: At, key: str) -> list[Problem]:
    find = check_mask_loss if config.makes_masks else check_loss
    problems = [p for i, text in enumerate(texts) for p in find(text, partial(at, i), key)]
    if problems or not weigh_nothing(texts):
        return problems
    message = f"{key}: expected a loss whose weight is not 0, got {' and '.join(map(repr, texts))}"
    hint = "there is nothing to learn from a loss that is always 0"
    return [Problem("config/bad-value", at(), message, hint)]
