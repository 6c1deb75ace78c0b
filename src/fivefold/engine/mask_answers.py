"""What a segmenter is asked of a batch: numbers of its masks are kept, and never their pixels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from torch import Tensor

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import AnyArray, Head
from fivefold.data.samples import SampleTable
from fivefold.engine.answers import AnyBatch, Losses, Rows
from fivefold.engine.device import images_of, masks_of
from fivefold.engine.predictor import Advance, Place, map_batches
from fivefold.engine.resident import AnyBatches
from fivefold.models import Classifier
from fivefold.models.mask_measuring import measured

Numbers: TypeAlias = Mapping[str, AnyArray]
"""The arrays of `MaskScores` by their names."""


class Answered(NamedTuple):
    """What validation keeps of a batch.

    Attributes:
        numbers: Of its masks.
        loss: The sum of its images' losses; NaN where an output is no number.
    """

    numbers: Numbers
    loss: float


@dataclass(frozen=True)
class MaskAnswers:
    """The one head says which of its classes each pixel shows.

    Attributes:
        head: Of the model.
        table: All used samples.
        place: The fold and the stage.
        loss: What is measured, of logits [N, K, H, W] and masks [N, P, H, W]; a mean over images.
    """

    head: Head
    table: SampleTable
    place: Place
    loss: Callable[[Tensor, Tensor], Tensor]

    def truth(self, batch: AnyBatch) -> Tensor:
        """Give the masks, uint8 [N, P, H, W]."""
        return masks_of(batch)

    def seen(self, logits: Tensor, truth: Tensor) -> Numbers:
        """Measure the masks of a batch."""
        return measured(logits, truth, self.head)

    def learned(self, rows: Rows, kept: Sequence[Numbers]) -> MaskScores:
        """Put measured batches together."""
        return as_scores(self.head, self.table, rows, kept, self.place)

    def answered(self, logits: Tensor, batch: AnyBatch) -> Answered:
        """Measure the masks and the loss of a batch."""
        masks = masks_of(batch)
        loss = self.loss(logits, masks).item() if logits.isfinite().all() else math.nan
        return Answered(measured(logits, masks, self.head), loss * len(masks))

    def judged(self, rows: Rows, kept: Sequence[Answered]) -> tuple[MaskScores, Losses]:
        """Put measured batches together; the loss is the mean over images however they came."""
        loss = math.fsum(part.loss for part in kept) / len(rows)
        return self.learned(rows, [part.numbers for part in kept]), {"loss": loss}


def as_scores(
    head: Head, table: SampleTable, rows: Rows, kept: Sequence[Numbers], place: Place
) -> MaskScores:
    """Put together what was measured of rows of a table, in the order of the batches."""
    arrays = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    ids = tuple(table.ids[int(row)] for row in rows)
    return MaskScores(ids=ids, heads=(head,), fold=place.fold, stage=place.stage, **arrays)


def predict_scores(
    model: Classifier,
    batches: AnyBatches,
    table: SampleTable,
    rows: Rows,
    place: Place,
    advance: Advance,
) -> MaskScores:
    """Measure a model's masks of rows of a table, which the batches have in this order."""
    model.eval()
    (head,) = model.heads

    def ask(batch: AnyBatch) -> Numbers:
        return measured(model(images_of(batch)), masks_of(batch), head)

    kept = []
    for part in map_batches(ask, batches):
        kept.append(part)
        advance(len(part["pixels"]))
    return as_scores(head, table, rows, kept, place)
