"""From a model and samples to predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fivefold.core.predictions import Predictions
from fivefold.core.types import Floats, Head
from fivefold.data.batches import Batches
from fivefold.data.samples import SampleTable
from fivefold.engine.device import images_of, known_targets
from fivefold.engine.tta import View
from fivefold.models import Classifier, probabilities

Advance = Callable[[int], None]


def predict_logits(model: Classifier, batches: Batches, advance: Advance) -> tuple[Tensor, Floats]:
    """Run a model over samples as they are.

    Args:
        model: Put into eval mode; no gradient is kept.
        batches: The samples, in a fixed order.
        advance: Told the number of samples after each batch.

    Returns:
        Logits on the CPU [N, all classes], and the targets in the same order; the targets are
        empty [N, 0] when the samples have no labels.
    """
    model.eval()
    logits, targets = [], []
    with torch.inference_mode():
        for batch in batches:
            logits.append(model(images_of(batch)).float().cpu())
            targets.append(known_targets(batch))
            advance(len(batch.indices))
    return torch.cat(logits), np.concatenate(targets)


def predict_views(
    model: Classifier, batches: Batches, views: Sequence[View], advance: Advance
) -> Floats:
    """Average a model's probabilities over flipped views of each sample [N, all classes]."""
    model.eval()
    parts = []
    with torch.inference_mode():
        for batch in batches:
            images = images_of(batch)
            probs = [probabilities(model(view(images)).float(), model.heads) for view in views]
            parts.append(torch.stack(probs).mean(dim=0).cpu().numpy())
            advance(len(batch.indices))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Place:
    """Which model predicts: the fold that it was trained without, and the stage."""

    fold: int
    stage: int


def as_predictions(
    heads: tuple[Head, ...], table: SampleTable, rows: Sequence[int], probs: Floats, place: Place
) -> Predictions:
    """Put probabilities [N, all classes] and what is known of those samples together."""
    chosen = np.asarray(rows, dtype=np.int64)
    return Predictions(
        ids=tuple(table.ids[row] for row in chosen),
        probs=probs,
        heads=heads,
        targets=None if table.targets is None else table.targets[chosen],
        fold=place.fold,
        stage=place.stage,
    )
