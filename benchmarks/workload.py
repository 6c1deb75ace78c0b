"""What is trained: the same for every tool."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import PictureSet


@dataclass(frozen=True)
class Workload:
    """Five folds of one net on one set of pictures; SGD at a constant rate in each stage.

    Attributes:
        pictures: What is learned, with its folds.
        weights: What all start from; see `weights.initial_weights`.
        architecture: A name that timm and torchvision share.
        size: Side of the input in pixels.
        batch: Samples in a batch.
        epochs_frozen: Epochs with only the head trained, the backbone in evaluation mode.
        epochs_full: Epochs with everything trained.
        lr_frozen: Learning rate of the frozen epochs.
        lr_full: Learning rate of the others.
        precision: "fp32", or "best": the best that a tool offers on this machine.
        augmented: Whether training crops and flips.
        chosen_by: What decides which epoch of ours counts.
    """

    pictures: PictureSet
    weights: Path
    architecture: str = "resnet18"
    size: int = 128
    batch: int = 32
    epochs_frozen: int = 3
    epochs_full: int = 3
    lr_frozen: float = 0.1
    lr_full: float = 0.003
    precision: str = "fp32"
    augmented: bool = True
    chosen_by: str = "val_accuracy"

    def describe(self) -> str:
        """Say it in one line, for the record."""
        augmentation = "crops and flips" if self.augmented else "no augmentation"
        return (
            f"{len(self.pictures.fold_of)} pictures, 5 folds, {self.architecture}@{self.size}, "
            f"batch {self.batch}, frozen {self.epochs_frozen} epochs (SGD {self.lr_frozen:g}), "
            f"full {self.epochs_full} epochs (SGD {self.lr_full:g}), momentum 0.9, "
            f"weight decay 1e-4, {augmentation}, {self.precision}"
        )
