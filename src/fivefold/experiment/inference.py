"""Predictions of new samples by the mean of several folds' models."""

import logging
from collections.abc import Sequence
from pathlib import Path

from fivefold.build import build_images
from fivefold.core.errors import DataError
from fivefold.core.layout import RunFolder
from fivefold.core.predictions import Predictions, average
from fivefold.core.progress import Progress
from fivefold.core.types import Floats
from fivefold.data import Source
from fivefold.data.audit import AuditRow, audit
from fivefold.data.decode import Reason
from fivefold.data.samples import SampleTable, table_of
from fivefold.engine.checkpoint import load_bundle, load_model
from fivefold.engine.device import on_device
from fivefold.engine.fold_data import plain_batches
from fivefold.engine.predictor import Place, as_predictions, predict_views
from fivefold.engine.tta import View

logger = logging.getLogger(__name__)


def predict_source(
    folder: RunFolder,
    source: Source,
    places: Sequence[tuple[int, int]],
    *,
    views: Sequence[View],
    batch: int,
    threads: int,
    progress: Progress,
) -> Predictions:
    """Predict every readable sample of a source.

    Args:
        folder: The experiment.
        source: The samples; labels are not needed.
        places: Fold and stage of each model; their probabilities are averaged.
        views: Flips to average over.
        batch: Samples at a time.
        threads: How many decode ahead.
        progress: Who watches.

    Raises:
        DataError: If no sample can be read.
    """
    table = readable(source, progress)
    spec = load_bundle(folder.bundle(*places[0])).spec
    images = build_images(spec.shape, source, table)
    rows = range(len(table.ids))
    parts = []
    for fold, stage in places:
        model = on_device(load_model(folder, fold, stage))
        batches = plain_batches(images, rows, batch, threads)
        with progress.bar(f"predict with fold {fold}", len(rows)) as advance:
            probs = predict_views(model, batches, views, advance)
        place = Place(fold, stage)
        parts.append(as_predictions(model.heads, table, rows, probs, place))
    return average(parts)


def readable(source: Source, progress: Progress) -> SampleTable:
    """Read every sample once; warn of those that cannot be predicted.

    Raises:
        DataError: If none can be read.
    """
    found = audit(source, folds=0, progress=progress)
    bad = [row for row in found.rows if row.status == "quarantined"]
    for row in bad[:10]:
        detail = (
            f"looked for {Path(row.path).absolute()}"
            if row.reason == Reason.MISSING
            else row.detail
        )
        logger.warning("%s: not predicted: %s: %s", row.sample_id, row.reason, detail)
    if len(bad) > 10:
        logger.warning("%d more images were not predicted", len(bad) - 10)
    table = table_of(source, found).without_labels()
    if not table.ids:
        msg = f"expected at least 1 image to predict, got none of {len(source)} readable"
        raise DataError(msg, hint=_where_looked(bad), slug="data/nothing-to-predict")
    return table


def _where_looked(bad: Sequence[AuditRow]) -> str:
    lost = next((row.path for row in bad if row.reason == Reason.MISSING and row.path), "")
    return (
        f"looked for {Path(lost).absolute()}; --images DIR says where a table's images are"
        if lost
        else ""
    )


def require_all(predictions: Predictions, source: Source) -> Floats:
    """Give the probabilities of all samples of a source, in its order [N, all classes].

    Raises:
        DataError: If some could not be read.
    """
    known = set(predictions.ids)
    missing = [sample_id for sample_id in source.sample_ids if sample_id not in known]
    if missing:
        msg = f"expected predictions for all {len(source)} samples, got none for {missing[:5]}"
        hint = "take out what cannot be read; the warnings above say why"
        raise DataError(msg, hint=hint, slug="data/unreadable")
    return predictions.probs
