"""Features of a frozen backbone: computed once, then heads train on them.

A frozen backbone gives the same features in every epoch, and the same in every fold that has the
same backbone. Training augmentation would change them, so there are some views of each image,
augmented in ways that are drawn once; the epochs take one after the other.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fivefold.build import build_prepare, num_views
from fivefold.build.pixels import build_closer
from fivefold.config import ResolvedStage
from fivefold.core.progress import Progress
from fivefold.core.types import Floats, Indices
from fivefold.data.batches import Batch, Batches
from fivefold.data.images import ResizedImages
from fivefold.engine.device import DeviceBatch, accelerator, images_of
from fivefold.engine.feature_files import FeatureFiles
from fivefold.engine.predictor import map_batches
from fivefold.engine.resident import AnyBatches, Resident, from_device
from fivefold.models import Classifier

_BATCH = 32
"""Always full: with another number of images a kernel may round differently."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of some samples.

    Attributes:
        place: For each row of the sample table its row in `values`, or -1.
        values: On the device [M, D].
    """

    place: Indices
    values: Tensor

    def of(self, rows: Indices) -> Tensor:
        """Give the features of some rows of the sample table [B, D]."""
        chosen = torch.from_numpy(self.place[rows]).to(self.values.device)
        return self.values.index_select(0, chosen)


@dataclass(frozen=True, eq=False)
class Features:
    """All that a stage with a frozen backbone sees.

    Attributes:
        plain: Of the images as they are.
        views: Of augmented views, for training; none without augmentation.
        seen: Images that the backbone had to see for them: none where they were kept.
        seconds: How long it took for these.
    """

    plain: FeatureTable
    views: tuple[FeatureTable, ...]
    seen: int = 0
    seconds: float = 0.0

    def of_epoch(self, epoch: int) -> FeatureTable:
        """Choose what an epoch trains on, 0-based."""
        return self.views[epoch % len(self.views)] if self.views else self.plain


@dataclass(frozen=True)
class FeatureWork:
    """What features are computed of.

    Attributes:
        images: Their pixels.
        rows: Of the sample table, all that are trained or validated on, ascending. It may not be
            fewer when fewer folds are left: with other neighbours in a batch, bits may differ.
        seed: The experiment's seed.
        threads: How many prepare images ahead.
        files: Where features are kept for the next run.
        progress: Who watches.
        resident: The pixels on the device; None where batches are sent one by one.
    """

    images: ResizedImages
    rows: Indices
    seed: int
    threads: int
    files: FeatureFiles
    progress: Progress
    resident: Resident | None = None


def compute_features(model: Classifier, stage: ResolvedStage, work: FeatureWork) -> Features:
    """Compute, or find, the features that a frozen stage needs.

    Args:
        model: Its backbone is run in eval mode, on its device.
        stage: Its augmentation, `transforms` and `frozen_views` decide the views.
        work: The samples.
    """
    device = accelerator().device
    views = [_View(stage, number) for number in (None, *range(num_views(stage)))]
    place = np.full(len(work.images.table), -1, dtype=np.int64)
    place[work.rows] = np.arange(len(work.rows))
    tables, took = [], []
    for view in views:
        values, seconds = _found_or_made(model, work, view)
        tables.append(FeatureTable(place, torch.from_numpy(values).to(device)))
        took += [seconds] if seconds else []
    return Features(tables[0], tuple(tables[1:]), len(took) * len(work.rows), sum(took))


@dataclass(frozen=True)
class _View:
    """One way to see every image; what is drawn belongs to the number, not to a fold.

    Attributes:
        stage: What images go through.
        number: Of an augmented view; None where nothing is drawn.
    """

    stage: ResolvedStage
    number: int | None

    def key(self, seed: int, ids: Sequence[str]) -> dict[str, Any]:
        """Collect all that decides what is seen beside the images, as JSON values.

        Args:
            seed: The experiment's seed.
            ids: Of the samples: what is drawn for an image depends on its id.
        """
        # As text: the order of a mapping counts, such as that of augmenters in `OneOf`.
        transforms = json.dumps(self.stage.transforms)
        key: dict[str, Any] = {"transforms": transforms} if self.stage.transforms else {}
        if self.number is not None:
            view = [self.number, json.dumps(self.stage.augmentation)]
            key |= {"view": view, "seed": seed, "ids": list(ids)}
        return key


def _found_or_made(model: Classifier, work: FeatureWork, view: _View) -> tuple[Floats, float]:
    """Give the features of a view, and the seconds that it took to make them: 0 if found."""
    table, rows = work.images.table, work.rows
    key = {
        "encoder": model.encoder_digest(),
        "rows": [table.digests[row] for row in rows],
        "batch": _BATCH,
        **view.key(work.seed, [table.ids[row] for row in rows]),
        **_closer_key(work, view),
    }
    found = work.files.find(key)
    if found is not None:
        return found, 0.0
    started = time.monotonic()
    made = _make(model, work, view)
    seconds = time.monotonic() - started
    work.files.keep(key, made, work.images.files)
    return made, seconds


def _closer_key(work: FeatureWork, view: _View) -> dict[str, float]:
    """Say how much larger the pictures are that a view's enlarged parts come from."""
    seen = view.number is not None and build_closer(view.stage, work.images)
    return {"detail": view.stage.detail} if seen else {}


def _make(model: Classifier, work: FeatureWork, view: _View) -> Floats:
    rows = work.rows
    model.eval()
    what = "features" if view.number is None else f"features of augmented view {view.number + 1}"
    parts = []
    with work.progress.bar(what, len(rows)) as advance:
        for part in map_batches(_forward(model), _full_batches(work, view)):
            parts.append(part)
            advance(len(part))
    return np.concatenate(parts)[: len(rows)]


def _full_batches(work: FeatureWork, view: _View) -> AnyBatches:
    rows, drawn = work.rows, None if view.number is None else (view.number,)
    padding = np.repeat(rows[-1:], -len(rows) % _BATCH)
    batches = Batches(
        work.images,
        work.images.table,
        np.concatenate([rows, padding]),
        batch=_BATCH,
        prepare=build_prepare(view.stage),
        seed=work.seed,
        place=drawn,
        shuffle=False,
        threads=work.threads,
        closer=build_closer(view.stage, work.images),
    )
    place = None if drawn is None else (work.seed, drawn)
    return from_device(batches, work.resident, view.stage, place)


def _forward(model: Classifier) -> Callable[[Batch | DeviceBatch], Floats]:
    def run(batch: Batch | DeviceBatch) -> Floats:
        values: Floats = model.features(images_of(batch)).float().cpu().numpy()
        return values

    return run


def rows_of(parts: Sequence[Sequence[int] | Indices]) -> Indices:
    """Join the rows of several folds: each once, ascending."""
    return np.unique(np.concatenate([np.asarray(part, dtype=np.int64) for part in parts]))
