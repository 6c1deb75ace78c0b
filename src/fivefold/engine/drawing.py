"""Pictures of validation samples with what is true of them and what was found in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from fivefold.config import ResolvedStage
from fivefold.core.masks import MaskKind
from fivefold.core.types import Head, Image, Indices
from fivefold.data.batches import Batch
from fivefold.engine.answers import Rows
from fivefold.engine.device import images_of
from fivefold.engine.examples import draw_examples, pick_examples, steady_examples, surest_mistakes
from fivefold.engine.fold_data import FoldData, plain_batches
from fivefold.engine.mask_examples import (
    ShownMask,
    captions_of,
    draw_masks,
    pick_masks,
    steady_masks,
    worst_masks,
)
from fivefold.engine.predictor import map_batches
from fivefold.models import Classifier


class Drawing(Protocol):
    """Chooses samples by what was found in them, and draws them."""

    def telling(self, found: Any) -> Indices:
        """Choose samples that show what a model does; row numbers."""

    def steady(self, found: Any) -> Indices:
        """Choose samples whatever was found: the same in every epoch; row numbers."""

    def mistakes(self, found: Any, limit: int) -> Indices:
        """Choose the worst mistakes, the worst first; none where all is right; row numbers."""

    def draw(self, rows: Rows, found: Any) -> bytes:
        """Draw rows of the table, and what was found in them, as a PNG file."""


@dataclass(frozen=True)
class ClassDrawing:
    """Draws pictures with the names of classes below them.

    Attributes:
        data: The fold's samples.
    """

    data: FoldData

    telling = staticmethod(pick_examples)
    steady = staticmethod(steady_examples)
    mistakes = staticmethod(surest_mistakes)

    def draw(self, rows: Rows, found: Any) -> bytes:
        """Draw images as they were resized."""
        return draw_examples([self.data.images.get(int(row)) for row in rows], found)


@dataclass(frozen=True)
class MaskDrawing:
    """Draws images as the network sees them, with the true masks and those of the model by now.

    Attributes:
        data: The fold's samples.
        model: Asked once more about what is drawn: masks are not kept.
        stage: What is done with images before the network sees them.
    """

    data: FoldData
    model: Classifier
    stage: ResolvedStage

    telling = staticmethod(pick_masks)
    steady = staticmethod(steady_masks)
    mistakes = staticmethod(worst_masks)

    def draw(self, rows: Rows, found: Any) -> bytes:
        """Draw image, truth and prediction."""
        (head,) = self.model.heads
        about = zip(found.ids, captions_of(found), strict=True)
        shown = [
            ShownMask(sample_id, image, masks, caption)
            for (sample_id, caption), (image, *masks) in zip(about, self._seen(rows), strict=True)
        ]
        return draw_masks(shown, head)

    def _seen(self, rows: Rows) -> Iterator[tuple[Image, Image, Image]]:
        """Give image, true mask and predicted mask of rows of the table."""
        self.model.eval()
        (head,) = self.model.heads
        batches = plain_batches(self.data.images, rows, self.stage, self.data.threads)

        def ask(batch: Batch) -> tuple[Batch, Image]:
            return batch, answered_masks(self.model(images_of(batch)), head)

        for batch, answers in map_batches(ask, batches):
            if batch.masks is not None:
                yield from zip(batch.images, batch.masks, answers, strict=True)


def drawing_of(model: Classifier, data: FoldData, stage: ResolvedStage) -> Drawing:
    """Say how what a model finds in a fold's samples is drawn."""
    return MaskDrawing(data, model, stage) if stage.makes_masks else ClassDrawing(data)


def answered_masks(logits: Tensor, head: Head) -> Image:
    """Decide what each pixel shows: uint8 [N, H, W, P] from logits [N, K, H, W]."""
    if MaskKind.of_head(head).exclusive:
        masks = logits.argmax(dim=1, keepdim=True)
    else:
        masks = logits > (0 if head.activation == "sigmoid" else 0.5)
    found: Image = masks.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)
    return found
