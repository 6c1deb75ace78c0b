"""`fivefold preview`: training samples beside their augmented selves, drawn without torch."""

from fivefold.apps.preview.choosing import TrainingSamples, training_samples
from fivefold.apps.preview.preview import Preview, draw_preview, find_stage

__all__ = ["Preview", "TrainingSamples", "draw_preview", "find_stage", "training_samples"]
