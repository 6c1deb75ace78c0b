"""What training shows the network in an epoch, as pictures."""

from collections.abc import Sequence

import numpy as np

from fivefold.augment import build_mixing
from fivefold.build import build_prepare, num_views, sees_features
from fivefold.build.pixels import build_closer
from fivefold.config import ResolvedStage
from fivefold.core.types import Head, Image
from fivefold.data.batches import Batch, Batches
from fivefold.engine.examples import draw_samples
from fivefold.engine.fold_data import FoldData
from fivefold.engine.mask_examples import ShownMask, draw_masks

_MOST = 16


def draw_train_examples(
    data: FoldData, stage: ResolvedStage, epoch: int, *, seed: int, fold: int
) -> bytes:
    """Draw up to 16 samples as the first batch of an epoch has them, as a PNG file.

    In a stage whose frozen backbone sees each image once, they are the view of the epoch.
    """
    batch = first_batch(data, stage, epoch, seed=seed, fold=fold)
    images, rows = batch.images[:_MOST], batch.indices[:_MOST].tolist()
    if batch.masks is not None and data.table.masks is not None:
        return _draw_masks(data, images, batch.masks, rows)
    labels = [_label(data, batch, k, row) for k, row in enumerate(rows)]
    return draw_samples(list(images), labels, [data.table.ids[row] for row in rows])


def _draw_masks(data: FoldData, images: Image, masks: Image, rows: Sequence[int]) -> bytes:
    """Draw training samples beside themselves with their masks."""
    head, ids = _head_of(data), [data.table.ids[row] for row in rows]
    shown = [
        ShownMask(name, image, (mask,))
        for name, image, mask in zip(ids, images, masks[: len(rows)], strict=True)
    ]
    return draw_masks(shown, head, columns=3, titles=("as trained on", "its mask"))


def _head_of(data: FoldData) -> Head:
    """Name the classes of the masks."""
    is_exclusive = data.table.masks is not None and data.table.masks.exclusive
    names = data.table.labels[0].class_names
    return Head("", "softmax" if is_exclusive else "sigmoid", names)


def first_batch(data: FoldData, stage: ResolvedStage, epoch: int, *, seed: int, fold: int) -> Batch:
    """Make the first batch of an epoch of a stage once more, with the same random numbers."""
    views = num_views(stage) if sees_features(stage) else 0
    rows, closer = np.asarray(data.train_rows), build_closer(stage, data.images)
    if sees_features(stage):
        place = (epoch % views,) if views else None
        batches = Batches(
            data.images,
            data.table,
            rows[: stage.batch],
            batch=stage.batch,
            prepare=build_prepare(stage),
            seed=seed,
            place=place,
            shuffle=False,
            threads=0,
            closer=closer,
        )
    else:
        of_epoch = (fold, stage.index, epoch)
        batches = Batches(
            data.images,
            data.table,
            data.rows_of_epoch(stage, seed=seed, place=of_epoch),
            batch=stage.batch,
            prepare=build_prepare(stage),
            seed=seed,
            place=of_epoch,
            threads=0,
            mix=build_mixing(stage.augmentation),
            most=min(stage.batch, data.epoch_size(stage)),
            crops=stage.crops,
            closer=closer,
        )
    return next(iter(batches))


def _label(data: FoldData, batch: Batch, k: int, row: int) -> str:
    """Name the classes of a sample; of a mixed one each with its part."""
    if batch.targets is None:
        return ""
    truth = batch.targets[k]
    if np.isin(truth, (0, 1)).all():
        return data.table.label_text(row)
    names = [name for labels in data.table.labels for name in labels.class_names]
    parts = np.flatnonzero(truth)
    return ", ".join(f"{names[part]} {truth[part]:.2f}" for part in parts)
