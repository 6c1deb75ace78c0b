"""From a segmenter and samples to a file with the probabilities of all their pixels."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from fivefold.core.maps import MapWriter, Packed
from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import Head, Image
from fivefold.data.batches import Batch, Batches
from fivefold.data.samples import SampleTable
from fivefold.engine.answers import Rows
from fivefold.engine.device import images_of, masks_of
from fivefold.engine.mask_answers import Numbers, as_scores
from fivefold.engine.predictor import Advance, Place, map_batches
from fivefold.models import Classifier, probabilities
from fivefold.models.mask_measuring import measured

_LEAST = 1e-12  # a probability of 0 has no logarithm


class _Mapped(NamedTuple):
    """What became of a batch."""

    packed: list[Packed]
    numbers: Numbers


def map_samples(
    models: Sequence[Classifier],
    batches: Batches,
    table: SampleTable,
    rows: Rows,
    place: Place,
    advance: Advance,
    path: Path | None,
) -> MaskScores:
    """Predict masks by the mean of models, measure them, and write their probabilities.

    Args:
        models: On their device, all with the same head.
        batches: Of these rows of the table, in their order.
        table: Of samples with masks.
        rows: Which of them.
        place: Which model it is; a fold of -1 for several.
        advance: Told the number of samples after each batch.
        path: Of the file of maps; None writes none.

    Raises:
        ResourceError: If the file cannot be written; there is then none.
    """
    (head,) = models[0].heads
    for model in models:
        model.eval()

    def ask(batch: Batch) -> _Mapped:
        probs = _mean_probs(models, images_of(batch))
        numbers = measured(_logits(probs, head), masks_of(batch), head)
        return _Mapped(_packed(probs, batch.masks) if path else [], numbers)

    kept, ids = list[Numbers](), (table.ids[int(row)] for row in rows)
    with MapWriter(path, head, place.fold, place.stage) if path else nullcontext() as writer:
        for packed, numbers in map_batches(ask, batches):
            kept.append(numbers)
            advance(len(numbers["pixels"]))
            if writer:
                for one in packed:
                    writer.add(next(ids), one)
        if writer:
            writer.commit()
    return as_scores(head, table, rows, kept, place)


def _mean_probs(models: Sequence[Classifier], images: Tensor) -> Tensor:
    """Average what models say of images: float32 [N, K, H, W], 0-1."""
    total = probabilities(models[0](images), models[0].heads)
    for model in models[1:]:
        total = total + probabilities(model(images), model.heads)
    return total / len(models) if len(models) > 1 else total


def _logits(probs: Tensor, head: Head) -> Tensor:
    """Give the logits of probabilities [N, K, H, W]; the logits of half are exactly 0."""
    if head.activation == "linear":
        return probs
    exact = probs.double().clamp(_LEAST, 1 - _LEAST)
    return (exact.log() if head.activation == "softmax" else exact.logit()).float()


def _packed(probs: Tensor, masks: Image | None) -> list[Packed]:
    """Compress maps [N, K, H, W] of a batch, with their true masks [N, H, W, P]."""
    # As `core.maps.to_map`, on the device.
    whole = (probs * 255 - 0.5).ceil().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    truths = [None] * len(whole) if masks is None else masks
    return [Packed.of(one, truth) for one, truth in zip(whole, truths, strict=True)]
