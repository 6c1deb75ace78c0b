"""Batches on the device: gathered from pixels that stay there, against sent one by one."""

import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.loading import ours
from fivefold.config import parse
from fivefold.core.progress import Silent
from fivefold.engine.device import images_of
from fivefold.engine.fold_data import FoldData
from fivefold.engine.resident import AnyBatches, Resident, Room, room_on_device

_CONFIG = """\
architecture: resnet18
shape: [{size}, {size}, 3]
batch: {batch}
augmentation: {{Fliplr: 0.5}}
stages: [{{epochs: 1}}]
"""


def batch_rates(
    pictures: Path,
    *,
    size: int = 224,
    batch: int = 256,
    epochs: int = 3,
    room: Room = room_on_device,
) -> dict[str, float]:
    """Measure images in a second that arrive on the device, mirrored as drawn; no network runs.

    Args:
        pictures: One folder for each class.
        size: Height and width, pixels.
        batch: Images in a batch.
        epochs: How many passes; the best counts, so the first may warm up.
        room: Counts the device's free bytes.
    """
    images = ours(pictures, size)
    stage = parse(_CONFIG.format(size=size, batch=batch)).resolve()[0]
    rows = np.arange(len(images.table))
    kept = Resident(images, stage, 2, Silent(), room)
    if kept.pixels() is None:
        return {}
    rates = {"gathered there": 0.0, "sent": 0.0}
    for epoch in range(epochs):
        for name, resident in (("gathered there", kept), ("sent", None)):
            data = FoldData(images.table, images, rows, rows, threads=8, resident=resident)
            batches = data.train_batches(stage, seed=0, fold=0)(epoch)
            rates[name] = max(rates[name], _rate(batches))
    return rates


def _rate(batches: AnyBatches) -> float:
    started, count = time.perf_counter(), 0
    for batch in batches:
        count += len(images_of(batch))
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return count / (time.perf_counter() - started)
