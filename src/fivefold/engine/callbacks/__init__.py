"""Callbacks: they read the numbers of an epoch and may stop a stage or change its learning rate."""

from fivefold.engine.callbacks.checkpoints import ModelCheckpoint
from fivefold.engine.callbacks.keras import REFUSED, TerminateOnNaN
from fivefold.engine.callbacks.making import AfterChain, build_callbacks, written_files
from fivefold.engine.callbacks.pictures import TrainExamples
from fivefold.engine.callbacks.plateau import EarlyStopping, ReduceLROnPlateau
from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    RunResults,
    StageInfo,
    Validation,
    callbacks,
)
from fivefold.engine.callbacks.tensorboard import TensorBoard
from fivefold.engine.callbacks.tracking import MLflow
from fivefold.engine.callbacks.writers import CSVLogger, StepLogger

__all__ = [
    "REFUSED",
    "AfterChain",
    "CSVLogger",
    "Callback",
    "Control",
    "EarlyStopping",
    "MLflow",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "RunResults",
    "StageInfo",
    "StepLogger",
    "TensorBoard",
    "TerminateOnNaN",
    "TrainExamples",
    "Validation",
    "build_callbacks",
    "callbacks",
    "written_files",
]
