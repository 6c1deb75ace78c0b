"""What a network is asked of a batch, and what becomes of its answers.

Here alone, and in what it is chosen by, training of classes differs from training of masks.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

from fivefold.core.found import Found
from fivefold.core.predictions import Predictions
from fivefold.core.types import Floats, Head, Indices
from fivefold.data.batches import Batch
from fivefold.data.samples import SampleTable
from fivefold.engine.device import (
    DeviceBatch,
    accelerator,
    known_targets,
    targets_of,
    tensor_of,
)
from fivefold.engine.predictor import Place, as_predictions
from fivefold.models import probabilities

LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]
AnyBatch: TypeAlias = Batch | DeviceBatch
Rows: TypeAlias = Sequence[int] | Indices
Losses: TypeAlias = Mapping[str, float]
"""`loss`, and those of several heads by their names; `loss` is NaN where an output is no number."""


class Answers(Protocol):
    """What a network is asked of a batch, and what becomes of its answers.

    What is kept of a batch is of a kind that only the answers themselves know.
    """

    def truth(self, batch: AnyBatch) -> Tensor:
        """Bring to the device what a loss compares the logits of a batch with."""

    def seen(self, logits: Tensor, truth: Tensor) -> Any:
        """Keep what an epoch of training has to know of a batch at its end."""

    def learned(self, rows: Rows, kept: Sequence[Any]) -> Found:
        """Put together what `seen` has kept of rows of the table, in the order of the batches."""

    def answered(self, logits: Tensor, batch: AnyBatch) -> Any:
        """Keep what validation has to know of a batch; called from several threads at once."""

    def judged(self, rows: Rows, kept: Sequence[Any]) -> tuple[Found, Losses]:
        """Put together what `answered` has kept of rows of the table, and its losses as a whole."""


@dataclass(frozen=True)
class ClassAnswers:
    """Each head says which of its classes are true of a sample.

    Attributes:
        heads: Of the model.
        table: All used samples.
        place: The fold and the stage.
        loss: What is measured, of logits and targets [N, all classes].
        head_losses: What is measured of each of several heads, by its name.
    """

    heads: tuple[Head, ...]
    table: SampleTable
    place: Place
    loss: LossFunction
    head_losses: Mapping[str, LossFunction] = field(default_factory=dict)

    def truth(self, batch: AnyBatch) -> Tensor:
        """Give the targets [N, all classes]."""
        return targets_of(batch)

    def seen(self, logits: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002  the table has the truth of images that are not mixed
        """Keep the logits."""
        return logits.detach().float().cpu()

    def learned(self, rows: Rows, kept: Sequence[Tensor]) -> Predictions:
        """Make predictions of logits."""
        return self._predictions(rows, torch.cat(list(kept)))

    def answered(self, logits: Tensor, batch: AnyBatch) -> tuple[Tensor, Floats]:
        """Keep logits and targets."""
        return logits.float().cpu(), known_targets(batch)

    def judged(
        self, rows: Rows, kept: Sequence[tuple[Tensor, Floats]]
    ) -> tuple[Predictions, Losses]:
        """Make predictions, and compute losses of all samples at once: not all are means."""
        logits = torch.cat([part for part, _ in kept])
        targets = np.concatenate([part for _, part in kept])
        of_all = logits.to(accelerator().device), tensor_of(targets)
        loss = self.loss(*of_all).item()
        if math.isfinite(loss) and not logits.isfinite().all():
            loss = math.nan
        own = {f"{name}_loss": one(*of_all).item() for name, one in self.head_losses.items()}
        return self._predictions(rows, logits), {"loss": loss, **own}

    def _predictions(self, rows: Rows, logits: Tensor) -> Predictions:
        probs: Floats = probabilities(logits, self.heads).numpy().astype(np.float32)
        return as_predictions(self.heads, self.table, rows, probs, self.place)
