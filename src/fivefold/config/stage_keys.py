"""The keys of an entry of `stages`."""

from pydantic import BaseModel, Field

from fivefold.config.balance import StageBalance, StageClassWeights, StagePosWeight
from fivefold.config.fields import Name, OptionalChoiceField, OptionalStepsField, StepsField
from fivefold.config.ranges import (
    Batches,
    BatchSize,
    Epochs,
    EpochsOrOff,
    Fraction,
    LayerDecay,
    LayersToTrain,
    LearningRate,
    Loss,
    Negatives,
    Views,
)
from fivefold.config.sections import STRICT


class StageConfig(BaseModel):
    """One stage of training; what it leaves out, the experiment decides."""

    model_config = STRICT

    epochs: Epochs = Field(description="How many epochs; required.")
    lr: LearningRate | None = Field(None, description="Learning rate of this stage.")
    loss: Loss = Field(None, description="Loss of this stage.")
    balance: StageBalance = Field(None, description="What to do about rare classes in this stage.")
    class_weights: StageClassWeights = Field(
        None, description="How much each class counts in this stage."
    )
    pos_weight: StagePosWeight = Field(
        None, description="How much true answers of a sigmoid head count in this stage."
    )
    batch: BatchSize | None = Field(None, description="Samples in a batch in this stage.")
    optimizer: OptionalChoiceField = Field(None, description="Optimizer of this stage.")
    schedule: OptionalChoiceField = Field(
        None, description="How the learning rate moves within this stage."
    )
    accumulate: Batches | None = Field(
        None, description="Batches in one step of the optimizer in this stage."
    )
    ema: Fraction | None = Field(
        None, description="Decay of the averaged weights in this stage; 0 is off."
    )
    layer_decay: LayerDecay | None = Field(
        None, description="Factor on the learning rate from layer to layer in this stage."
    )
    early_stopping: EpochsOrOff | None = Field(
        None, description="Epochs without a better `primary_metric` that end this stage; 0 is off."
    )
    augmentation: OptionalStepsField = Field(
        None, description="Augmenters of this stage; they replace the experiment's."
    )
    callbacks: OptionalStepsField = Field(
        None, description="Callbacks of this stage; they replace the experiment's."
    )
    extra_callbacks: StepsField = Field(
        (), description="Callbacks that this stage has beside the others."
    )
    freeze_encoder: bool | None = Field(
        None, description="Freeze (true) or train (false) the backbone from this stage on."
    )
    unfreeze_encoder: bool | None = Field(
        None, description="Train (true) or freeze (false) the backbone from this stage on."
    )
    layers_to_train: LayersToTrain | None = Field(
        None,
        description="Layers at the end of the backbone that are trained in this stage; -1 trains "
        "all of it, 0 freezes it.",
    )
    freeze_batchnorm: bool | None = Field(
        None, description="Hold BatchNorm's statistics in this stage although it is trained."
    )
    frozen_views: Views | None = Field(
        None, description="Augmented views of each image in this stage, if its backbone is frozen."
    )
    initial_weights: Name | None = Field(
        None,
        description="Weights file to start from instead of the best of the stage before; "
        "relative to the config.",
    )
    log_all: bool = Field(
        default=False,
        alias="logAll",
        description="Write every step's loss and learning rate to `logs/steps-FOLD.STAGE.csv`.",
    )
    negatives: Negatives = Field(
        None,
        description="Which negative samples to train on: `none`, `all` (also `real`; the default), "
        "or at most so many for each positive one, drawn once. What is positive says the data "
        "set's `isPositive(i)`; without it, a sample for which any class is true.",
    )
    validation_negatives: Negatives = Field(
        None,
        description="The same for what is validated after each epoch; default as `negatives`. "
        "Out-of-fold predictions are of all samples whatever it says.",
    )
