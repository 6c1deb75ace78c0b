"""Objects of one stage, made from its resolved settings."""

from torch.optim import Optimizer

from fivefold.build.mask_checks import decoder_of
from fivefold.config import ExperimentConfig, ResolvedStage
from fivefold.core.types import Head
from fivefold.models import Classifier, Downscaling, Hidden, ModelSpec
from fivefold.models.depths import layer_scales, spared_weights
from fivefold.optim import (
    Rules,
    Schedule,
    build_optimizer,
    build_schedule,
    is_callback,
    rate_decay,
    with_decay,
)


def build_spec(config: ExperimentConfig, heads: tuple[Head, ...]) -> ModelSpec:
    """Describe the model that a checked config asks for."""
    return ModelSpec(
        architecture=str(config.architecture),
        heads=heads,
        shape=config.shape,
        pooling=config.pooling,
        dropout=config.dropout,
        copy_weights=config.copy_weights,
        transforms=config.transforms,
        crops=config.crops,
        hidden=Hidden(config.head_layers, config.head_activation, config.head_batchnorm),
        cut_levels=config.cut_levels,
        downscaling=Downscaling(config.downscaling, config.downscaling_filters),
        backbone=config.backbone or "",
        decoder=tuple(decoder_of(config)[0].items()) if config.makes_masks else (),
    )


def build_stage_optimizer(stage: ResolvedStage, model: Classifier) -> Optimizer:
    """Make a stage's optimizer over what the model lets train."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    rules = Rules(
        spare=stage.no_bias_weight_decay,
        spared=spared_weights(model),
        scales=layer_scales(model, stage.layer_decay),
    )
    return build_optimizer(stage.optimizer, stage.optimizer_options, named, stage.lr, rules)


def build_stage_schedule(stage: ResolvedStage) -> Schedule:
    """Make a stage's schedule: from the place of a step to its learning rate.

    Musket's configs have some schedules among the callbacks.
    """
    named = [step for step in stage.callbacks if is_callback(step[0])]
    schedule = build_schedule(*(named[0] if named else (stage.schedule, stage.schedule_options)))
    decay = rate_decay(stage.optimizer, stage.optimizer_options)
    return with_decay(schedule, decay) if decay else schedule
