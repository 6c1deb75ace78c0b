"""Objects of one stage, made from its resolved settings."""

from collections.abc import Callable

import numpy as np
from torch.optim import Optimizer

from fivefold.augment import build_augmentation
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.catalog import nowhere
from fivefold.core.types import Head, Image
from fivefold.models import Classifier, ModelSpec
from fivefold.optim import build_optimizer, build_schedule

Prepare = Callable[[Image, np.random.Generator | None], Image]


def build_spec(config: ExperimentConfig, heads: tuple[Head, ...]) -> ModelSpec:
    """Describe the model that a checked config asks for."""
    return ModelSpec(
        architecture=str(config.architecture),
        heads=heads,
        shape=config.shape,
        pooling=config.pooling,
        dropout=config.dropout,
        copy_weights=config.copy_weights,
    )


def build_stage_optimizer(stage: ResolvedStage, model: Classifier) -> Optimizer:
    """Make a stage's optimizer over what the model lets train."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return build_optimizer(stage.optimizer, stage.optimizer_options, named, stage.lr)


def build_stage_schedule(stage: ResolvedStage) -> Callable[[float], float]:
    """Make a stage's schedule: from the fraction of its steps done to a factor on its rate."""
    return build_schedule(stage.schedule, stage.schedule_options)


def build_prepare(stage: ResolvedStage) -> Prepare:
    """Make a stage's augmentation of one training image; without a generator it does nothing."""
    augmentation = build_augmentation(stage.augmentation, nowhere)

    def prepare(image: Image, rng: np.random.Generator | None) -> Image:
        return image if rng is None else augmentation(image, rng)

    return prepare
