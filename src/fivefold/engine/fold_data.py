"""The samples of one fold, and the batches that a stage draws from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fivefold.augment import build_mixing
from fivefold.build import build_prepare
from fivefold.config import ResolvedStage
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.batches import Batches
from fivefold.data.images import ResizedImages
from fivefold.data.samples import SampleTable

_AT_ONCE = 4096  # truths are packed; unpacking all would take 32 times as much


@dataclass(frozen=True)
class FoldData:
    """One fold's share of the data.

    Attributes:
        table: All used samples.
        images: Their pixels at the network's size, decoded once.
        train_rows: Rows of the table to train on.
        val_rows: Rows of the table to validate on, in the order of their ids.
        threads: How many decode and augment ahead.
    """

    table: SampleTable
    images: ResizedImages
    train_rows: Sequence[int] | Indices
    val_rows: Sequence[int] | Indices
    threads: int = 2

    def targets(self, rows: Indices) -> Floats:
        """Give the truth of some rows of the table [B, all classes]; [B, 0] without labels."""
        if self.table.targets is None:
            return np.zeros((len(rows), 0), np.float32)
        return self.table.targets[rows]

    def class_counts(self) -> tuple[AnyArray, int]:
        """Count the training samples of each class [all classes], and all of them."""
        rows = np.asarray(self.train_rows)
        counts = np.zeros(self.targets(rows[:0]).shape[1])
        for start in range(0, len(rows), _AT_ONCE):
            counts += self.targets(rows[start : start + _AT_ONCE]).sum(axis=0, dtype=np.float64)
        return counts, len(rows)

    def train_batches(
        self, stage: ResolvedStage, *, seed: int, fold: int
    ) -> Callable[[int], Batches]:
        """Make the function from an epoch to its batches, shuffled and augmented."""
        prepare, mix = build_prepare(stage), build_mixing(stage.augmentation)

        def of_epoch(epoch: int) -> Batches:
            place = (fold, stage.index, epoch)
            return Batches(
                self.images,
                self.table,
                np.asarray(self.train_rows),
                batch=stage.batch,
                prepare=prepare,
                seed=seed,
                place=place,
                threads=self.threads,
            )

        return of_epoch

    def val_batches(self, batch: int) -> Batches:
        """Make the batches of the validation samples, as they are."""
        return plain_batches(self.images, self.val_rows, batch, self.threads)


def plain_batches(
                mix=mix,
    images: ResizedImages, rows: Sequence[int] | Indices, batch: int, threads: int
) -> Batches:
    """Make batches in the order given, without augmentation."""
    chosen = np.asarray(rows)
    return Batches(images, images.table, chosen, batch=batch, prepare=as_it_is, threads=threads)


def as_it_is(image: Image, rng: np.random.Generator | None) -> Image:  # noqa: ARG001  the protocol's names
    """Prepare an image for validation: it has the network's size already."""
    return image
