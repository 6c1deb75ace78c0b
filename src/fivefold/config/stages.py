"""What a stage really does: the experiment's keys and its own, decided once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fivefold.config.fields import Steps
from fivefold.config.keys import ExperimentKeys
from fivefold.config.stage_keys import StageConfig
from fivefold.core.segmenters import segmenter_named

ALL_NEGATIVES = -1
"""In place of a number of negative samples for each positive one: all of them."""

ALL_LAYERS = -1
"""In place of a number of layers that learn: all of them."""

NO_SAMPLING = "none"
"""In place of a way to draw as many images of each class."""


@dataclass(frozen=True)
class ResolvedStage:
    """One stage with nothing left open.

    Attributes:
        index: Position among the stages, from 0.
        epochs: How many epochs, at least 1.
        lr: Learning rate, above 0.
        losses: One expression for each head; empty: the activation decides.
        optimizer: Its name.
        optimizer_options: Its options by name.
        schedule: The name of the learning rate's schedule.
        schedule_options: Its options by name.
        batch: Samples in a batch, at least 1.
        augmentation: Augmenters in order, each with what stood behind its name.
        transforms: Augmenters of every image, also of validation and prediction, the same way.
        callbacks: Callbacks in order, each with what stood behind its name.
        metrics: Names of metrics.
        primary_metric: What decides which epoch is the best, such as "val_loss".
        primary_metric_mode: Which direction is better.
        frozen: Whether the backbone is frozen.
        freeze_batchnorm: Whether BatchNorm's statistics are held in a trained backbone.
        frozen_views: Augmented views of each image if the backbone is frozen; 0: no augmentation.
        initial_weights: A file; empty: from the stage before.
        accumulate: Batches in one step of the optimizer, at least 1.
        ema: Decay of the averaged weights, 0-1; 0: off.
        layer_decay: Factor on the rate from layer to layer, 0-1; 1: off.
        no_bias_weight_decay: Whether biases and normalisation are spared the weight decay.
        clipnorm: Largest norm of all gradients; 0: off.
        clipvalue: Largest absolute value of a gradient; 0: off.
        dropout: Fraction of features dropped before the head, 0-1.
        class_weights: `none`, a formula, or weights by class name.
        positive_weights_multiply: The factor in the formula `log`, above 0.
        pos_weight: Of true answers of sigmoid heads: a number, one for each class, by class name,
            or `balanced`.
        l1: Factor of the sum of the trained weights' absolute values in the loss, at least 0.
        l2: Factor of the sum of their squares, at least 0.
        negatives: At most so many negative samples for each positive one; -1: all.
        validation_negatives: The same for what is validated after each epoch.
        subsample: The fraction of the training samples that each epoch takes, above 0.
        max_epoch_size: The most batches of an epoch; 0: all.
        crops: Cells along each side of an image, at least 1.
        layers_to_train: Layers at the end of a trained backbone that learn; -1: all.
        pooling: How features of all positions become one vector.
        downscaling: Learned steps that make images smaller before the backbone sees them.
        sampling: How many images of each class an epoch draws: `sampler`, `upsampling`,
            `downsampling` or a number; `none` takes all samples as they are.
        makes_masks: Whether a class is told of every pixel.
        directory: Where relative folders of the augmentation begin: that of the config.
        prior_correction: Whether predictions are corrected for `sampling` and `class_weights`.
        example_epochs: In how many epochs validation samples are drawn.
        detail: How many times as large the pictures are that enlarged parts come from; 1: as all.
    """

    index: int
    epochs: int
    lr: float
    losses: tuple[str, ...]
    optimizer: str
    optimizer_options: Mapping[str, Any]
    schedule: str
    schedule_options: Mapping[str, Any]
    batch: int
    augmentation: Steps
    transforms: Steps
    callbacks: Steps
    metrics: tuple[str, ...]
    primary_metric: str
    primary_metric_mode: Literal["auto", "min", "max"]
    frozen: bool
    freeze_batchnorm: bool
    frozen_views: int
    initial_weights: str
    accumulate: int
    ema: float
    layer_decay: float
    no_bias_weight_decay: bool
    clipnorm: float
    clipvalue: float
    dropout: float
    class_weights: str | Mapping[str, float]
    positive_weights_multiply: float
    pos_weight: float | str | tuple[float, ...] | Mapping[str, float]
    l1: float
    l2: float
    negatives: int = ALL_NEGATIVES
    validation_negatives: int = ALL_NEGATIVES
    subsample: float = 1.0
    max_epoch_size: int = 0
    crops: int = 1
    layers_to_train: int = ALL_LAYERS
    pooling: str = "avg"
    downscaling: int = 0
    example_epochs: int = 0
    detail: float = 2.0
    sampling: str | int = NO_SAMPLING
    prior_correction: bool = False
    makes_masks: bool = False
    directory: str = ""

    @property
    def trains_head_alone(self) -> bool:
        """Whether nothing but the head learns: a learned stem before the backbone would too."""
        return self.frozen and not self.downscaling

    @property
    def takes_all(self) -> bool:
        """Whether negative samples are neither left out of training nor of validation."""
        return self.negatives == self.validation_negatives == ALL_NEGATIVES


def as_names(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Read one name, several, or none."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def resolve_stages(config: ExperimentKeys) -> tuple[ResolvedStage, ...]:
    """Resolve all stages of a config."""
    stages = zip(config.stages, _frozen(config), strict=True)
    return tuple(
        _resolve(config, index, stage, frozen=frozen)
        for index, (stage, frozen) in enumerate(stages)
    )


def _frozen(config: ExperimentKeys) -> Iterator[bool]:
    """Follow the backbone through the stages: each holds until another says otherwise."""
    frozen = config.freeze_encoder or config.layers_to_train == 0
    for stage in config.stages:
        if stage.unfreeze_encoder is not None:
            frozen = not stage.unfreeze_encoder
        if stage.freeze_encoder is not None:
            frozen = stage.freeze_encoder
        yield frozen if stage.layers_to_train is None else stage.layers_to_train == 0


def _resolve(
    config: ExperimentKeys, index: int, stage: StageConfig, *, frozen: bool
) -> ResolvedStage:
    optimizer = stage.optimizer or config.optimizer
    schedule = stage.schedule or config.schedule
    batchnorm, views = stage.freeze_batchnorm, stage.frozen_views
    callbacks = config.callbacks if stage.callbacks is None else stage.callbacks
    positives = stage.pos_weight
    weights, sampling, balanced = _balanced(config, stage)
    return ResolvedStage(
        index=index,
        epochs=stage.epochs,
        lr=stage.lr or config.lr,
        losses=as_names(stage.loss or config.loss),
        optimizer=optimizer.name,
        optimizer_options=optimizer.options,
        schedule=schedule.name,
        schedule_options=schedule.options,
        batch=stage.batch or config.batch,
        augmentation=config.augmentation if stage.augmentation is None else stage.augmentation,
        transforms=config.transforms,
        callbacks=callbacks + stage.extra_callbacks + _short_forms(config, stage),
        metrics=_every_epoch(config),
        primary_metric=config.primary_metric,
        primary_metric_mode=config.primary_metric_mode,
        frozen=frozen,
        freeze_batchnorm=config.freeze_batchnorm if batchnorm is None else batchnorm,
        frozen_views=config.frozen_views if views is None else views,
        initial_weights=stage.initial_weights or "",
        accumulate=stage.accumulate or config.accumulate,
        ema=config.ema if stage.ema is None else stage.ema,
        layer_decay=stage.layer_decay or config.layer_decay,
        no_bias_weight_decay=config.no_bias_weight_decay,
        clipnorm=config.clipnorm,
        clipvalue=config.clipvalue,
        dropout=config.dropout,
        class_weights=weights,
        positive_weights_multiply=config.positive_weights_multiply,
        pos_weight=config.pos_weight if positives is None else positives,
        l1=config.l1,
        l2=config.l2,
        negatives=_as_number(stage.negatives),
        validation_negatives=_as_number(
            stage.negatives if stage.validation_negatives is None else stage.validation_negatives
        ),
        subsample=config.subsample,
        max_epoch_size=config.max_epoch_size,
        crops=config.crops,
        layers_to_train=_layers(config, stage),
        pooling=config.pooling,
        downscaling=config.downscaling,
        example_epochs=config.example_epochs,
        detail=config.detail,
        sampling=sampling,
        prior_correction=balanced and config.prior_correction,
        makes_masks=segmenter_named(config.architecture or "") is not None,
    )


def _balanced(
    config: ExperimentKeys, stage: StageConfig
) -> tuple[str | Mapping[str, float], str | int, bool]:
    """Read `balance` as weights of classes and as a way to draw samples, and whether it is on."""
    weights = config.class_weights if stage.class_weights is None else stage.class_weights
    balance = config.balance if stage.balance is None else stage.balance
    if balance == "none":
        return weights, NO_SAMPLING, False
    if balance == "weights" or isinstance(balance, dict):
        return ("balanced" if balance == "weights" else balance), NO_SAMPLING, True
    return weights, balance, True


def _layers(config: ExperimentKeys, stage: StageConfig) -> int:
    """Count the layers of a backbone that learn, if it is not frozen as a whole."""
    layers = config.layers_to_train if stage.layers_to_train is None else stage.layers_to_train
    return layers or ALL_LAYERS


def _as_number(negatives: str | int | None) -> int:
    """Count the negative samples for each positive one."""
    if isinstance(negatives, int):
        return negatives
    return 0 if negatives == "none" else ALL_NEGATIVES


def _every_epoch(config: ExperimentKeys) -> tuple[str, ...]:
    """List the metrics, and those final ones that somebody wants to watch."""
    primary = config.primary_metric.casefold().removeprefix("val_")
    watched = [
        name
        for name, options in config.final_metrics
        if name.casefold() == primary
        or (isinstance(options, dict) and options.get("for_validation"))
    ]
    known = {name.casefold() for name in config.metrics}
    return (*config.metrics, *(name for name in watched if name.casefold() not in known))


def _short_forms(config: ExperimentKeys, stage: StageConfig) -> Steps:
    """Write the keys out that stand for a callback."""
    short = stage.early_stopping
    patience = config.early_stopping if short is None else short
    options = {
        "patience": patience,
        "monitor": config.primary_metric,
        "mode": config.primary_metric_mode,
    }
    early: Steps = (("EarlyStopping", options),) if patience else ()
    steps: Steps = (("StepLogger", {}),) if stage.log_all else ()
    pictures: Steps = (("TrainExamples", {}),) if config.show_data_examples else ()
    return early + steps + pictures
