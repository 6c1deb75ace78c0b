"""Scores of masks from probabilities of any size, some rows of an image at a time; no torch."""

from collections.abc import Iterable, Sequence

import numpy as np

from fivefold.core.mask_scores import MaskScores
from fivefold.core.masks import IGNORED
from fivefold.core.types import AnyArray, Floats, Head, Image
from fivefold.evaluation.mask_answers import said_of
from fivefold.evaluation.metrics import Doubles

_LEAST = float(np.finfo(np.float32).eps)  # a probability whose logarithm is counted


class ImageCounts:
    """What one image's mask has in common with the truth.

    Args:
        head: What the classes are.

    Attributes:
        sums: Hits, said and true pixels, soft hits and soft said, of each class [5, K].
        pixels: How many count.
        loss: Sum of their log losses.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self.sums: Doubles = np.zeros((5, head.num_classes))
        self.pixels = 0
        self.loss = 0.0

    def add(self, probs: Floats, truth: Image) -> None:
        """Count some rows.

        Args:
            probs: 0-1 [n, W, K].
            truth: As `core.masks` writes it [n, W, P].
        """
        head, counted = self._head, ~(truth == IGNORED).any(axis=-1)
        said, shown, likely = said_of(probs, head)[counted], truth[counted], probs[counted]
        if head.activation == "softmax":
            classes = np.arange(head.num_classes)
            is_said, is_true = said == classes, shown == classes
            lost = -np.log(np.maximum(likely[is_true], _LEAST)).sum(dtype=np.float64)
        else:
            is_said, is_true = said > 0, shown == 1
            right = np.where(is_true, likely, 1 - likely)
            lost = -np.log(np.maximum(right, _LEAST)).mean(axis=-1).sum(dtype=np.float64)
        planes: Sequence[AnyArray] = (is_said & is_true, is_said, is_true, likely * is_true, likely)
        self.sums += [plane.sum(axis=0, dtype=np.float64) for plane in planes]
        self.pixels += int(counted.sum())
        self.loss += float(lost)


def scores_of_counts(
    head: Head, counts: Iterable[tuple[str, ImageCounts]], stage: int = -1
) -> MaskScores:
    """Put images together, each with its id."""
    pairs = list(counts)
    sums = np.array([own.sums for _, own in pairs]).reshape(-1, 5, head.num_classes)
    hits, said, true = (sums[:, i].astype(np.int64) for i in range(3))
    return MaskScores(
        ids=tuple(name for name, _ in pairs),
        heads=(head,),
        hits=hits,
        said=said,
        true=true,
        pixels=np.array([own.pixels for _, own in pairs], dtype=np.int64),
        soft_hits=sums[:, 3],
        soft_said=sums[:, 4],
        log_losses=np.array([own.loss / max(own.pixels, 1) for _, own in pairs]),
        stage=stage,
    )
