"""The samples of one fold, and the batches that a stage draws from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fivefold.augment import build_mixing
from fivefold.build.pixels import build_closer, build_prepare
from fivefold.config import NO_SAMPLING, ResolvedStage
from fivefold.core.masks import IGNORED, counts_of
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Floats, Indices
from fivefold.data.balance import draw_of_each, images_per_class
from fivefold.data.batches import Batches
from fivefold.data.images import ResizedImages
from fivefold.data.packed import small
from fivefold.data.samples import SampleTable
from fivefold.engine.resident import AnyBatches, Resident, from_device

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
        left_out: Rows of the validation fold that no epoch measures, in the order of their ids.
        resident: The pixels on the device; None where batches are sent one by one.
    """

    table: SampleTable
    images: ResizedImages
    train_rows: Sequence[int] | Indices
    val_rows: Sequence[int] | Indices
    threads: int = 2
    left_out: Sequence[int] | Indices = ()
    resident: Resident | None = None

    @property
    def whole_val_rows(self) -> Sequence[int] | Indices:
        """All rows of the validation fold, in the order of their ids."""
        if not len(self.left_out):
            return self.val_rows
        rows = np.concatenate([np.asarray(self.val_rows), np.asarray(self.left_out)])
        return rows[np.argsort(self.table.ranks[rows])]

    def targets(self, rows: Indices) -> Floats:
        """Give the truth of some rows of the table [B, all classes]; [B, 0] without labels."""
        if self.table.targets is None:
            return np.zeros((len(rows), 0), np.float32)
        return self.table.targets[rows]

    def weights(self, rows: Indices) -> Floats | None:
        """Give how much some rows of the table count in training [B]; None: all the same."""
        return None if self.table.weights is None else self.table.weights[rows]

    def counts_for(self, stage: ResolvedStage) -> tuple[AnyArray, int]:
        """Count what the classes of a stage are weighed by: training samples, or their pixels."""
        return self.pixel_counts() if stage.makes_masks else self.class_counts()

    def pixel_counts(self) -> tuple[AnyArray, int]:
        """Count the pixels of each class [K] in the training masks, and all that count."""
        kind = self.table.masks
        if kind is None:
            return np.zeros(0), 0
        counts, pixels = np.zeros(kind.num_classes), 0
        for row in np.asarray(self.train_rows).tolist():
            mask = self.images.mask(row)
            unknown = (mask == IGNORED).any(axis=2)
            counts += counts_of(mask[~unknown][:, None], kind)
            pixels += unknown.size - int(np.count_nonzero(unknown))
        return counts, pixels

    def class_counts(self) -> tuple[AnyArray, int]:
        """Count the training samples of each class [all classes], and all of them."""
        rows = np.asarray(self.train_rows)
        counts = np.zeros(self.targets(rows[:0]).shape[1])
        for start in range(0, len(rows), _AT_ONCE):
            counts += self.targets(rows[start : start + _AT_ONCE]).sum(axis=0, dtype=np.float64)
        return counts, len(rows)

    @cached_property
    def classes(self) -> AnyArray:
        """The class of each training sample [N], where one excludes all others."""
        rows = np.asarray(self.train_rows)
        starts = range(0, len(rows), _AT_ONCE)
        parts = [self.targets(rows[start : start + _AT_ONCE]).argmax(axis=1) for start in starts]
        return small(np.concatenate(parts))

    def _per_class(self, stage: ResolvedStage) -> int:
        return images_per_class(np.bincount(self.classes), stage.sampling)

    def drawn_counts(self, stage: ResolvedStage) -> AnyArray:
        """Count the samples of each class [all classes] that an epoch of a stage draws."""
        counts, _ = self.class_counts()
        if stage.sampling == NO_SAMPLING:
            return counts
        return np.where(counts > 0, float(self._per_class(stage)), 0.0)

    def rows_of_epoch(self, stage: ResolvedStage, *, seed: int, place: tuple[int, ...]) -> AnyArray:
        """Choose the rows that an epoch trains on; some may come several times.

        Args:
            stage: Whose `sampling` decides.
            seed: The experiment's seed.
            place: Fold, stage and epoch.
        """
        rows = np.asarray(self.train_rows)
        if stage.sampling == NO_SAMPLING:
            return rows
        by_id = np.argsort(self.table.ranks[rows])
        rng = generator_for(seed, "balance", *place)
        drawn = draw_of_each(self.classes[by_id], self._per_class(stage), rng)
        chosen: AnyArray = rows[by_id[drawn]]
        return chosen

    def epoch_size(self, stage: ResolvedStage) -> int:
        """Count the training samples, or cells of them, that an epoch of a stage takes."""
        if stage.sampling != NO_SAMPLING:
            return self._per_class(stage) * len(np.unique(self.classes)) * stage.crops**2
        size = max(round(len(self.train_rows) * stage.crops**2 * stage.subsample), 1)
        return min(size, stage.max_epoch_size * stage.batch) if stage.max_epoch_size else size

    def train_batches(
        self, stage: ResolvedStage, *, seed: int, fold: int
    ) -> Callable[[int], AnyBatches]:
        """Make the function from an epoch to its batches, shuffled and augmented."""
        prepare, mix = build_prepare(stage), build_mixing(stage.augmentation)
        closer = build_closer(stage, self.images)

        def of_epoch(epoch: int) -> AnyBatches:
            place = (fold, stage.index, epoch)
            batches = Batches(
                self.images,
                self.table,
                self.rows_of_epoch(stage, seed=seed, place=place),
                batch=stage.batch,
                prepare=prepare,
                seed=seed,
                place=place,
                threads=self.threads,
                mix=mix,
                most=self.epoch_size(stage),
                crops=stage.crops,
                closer=closer,
            )
            return from_device(batches, self.resident, stage, (seed, place))

        return of_epoch

    def val_batches(self, stage: ResolvedStage) -> AnyBatches:
        """Make a stage's batches of the validation samples, without augmentation."""
        batches = plain_batches(self.images, self.val_rows, stage, self.threads)
        return from_device(batches, self.resident, stage)


def plain_batches(
    images: ResizedImages, rows: Sequence[int] | Indices, stage: ResolvedStage, threads: int
) -> Batches:
    """Make a stage's batches in the order given, without augmentation."""
    chosen, prepare = np.asarray(rows), build_prepare(stage)
    return Batches(
        images, images.table, chosen, batch=stage.batch, prepare=prepare, threads=threads
    )
