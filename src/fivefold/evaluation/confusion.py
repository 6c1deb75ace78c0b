"""Which class is taken for which."""

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.predictions import Predictions
from fivefold.core.types import Indices


def confusion_matrix(predictions: Predictions) -> Indices:
    """Count samples by true class (row) and predicted class (column) [C, C].

    Args:
        predictions: Of one head with exactly one true class for each sample.

    Raises:
        DataError: If there are several heads, no targets, or not exactly one true class.
    """
    truth = predictions.truth
    if len(predictions.heads) != 1:
        msg = f"confusion matrix: expected 1 head, got {len(predictions.heads)}"
        raise DataError(msg, hint="take one of `predictions.by_head()`", slug="data/several-heads")
    positives = (truth > 0.5).sum(axis=1)
    if (positives != 1).any():
        sample = int(np.argmax(positives != 1))
        msg = (
            f"confusion matrix: {predictions.ids[sample]}: expected exactly 1 true class, "
            f"got {positives[sample]}"
        )
        raise DataError(msg, slug="data/not-single-label")
    count = predictions.heads[0].num_classes
    matrix = np.zeros((count, count), dtype=np.int64)
    np.add.at(matrix, (truth.argmax(axis=1), predictions.probs.argmax(axis=1)), 1)
    return matrix
