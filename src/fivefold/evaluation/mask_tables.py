"""Scores of masks as a table for people and spreadsheets."""

import numpy as np

from fivefold.core.mask_scores import MaskScores
from fivefold.evaluation.mask_counts import of_images

_OF_CLASS = ("true", "predicted", "both", "iou", "dice")


def mask_rows(scores: MaskScores) -> list[list[str]]:
    """Write scores as text cells, a header first.

    Columns: `id`, `pixels` (how many count), `log_loss`, then for each class `true_NAME`,
    `predicted_NAME` and `both_NAME` in pixels, and `iou_NAME` and `dice_NAME`, which are empty
    where the class is neither true nor predicted.

    Args:
        scores: Of N images.

    Returns:
        N + 1 rows. Fractions have six decimals.
    """
    names = [f"{what}_{name}" for name in scores.class_names for what in _OF_CLASS]
    ious, dices = of_images(scores, "iou"), of_images(scores, "dice")
    rows = [["id", "pixels", "log_loss", *names]]
    for i, sample_id in enumerate(scores.ids):
        cells = [sample_id, str(scores.pixels[i]), f"{scores.log_losses[i]:.6f}"]
        for k in range(len(scores.class_names)):
            cells += [str(scores.true[i, k]), str(scores.said[i, k]), str(scores.hits[i, k])]
            cells += [_cell(ious[i, k]), _cell(dices[i, k])]
        rows.append(cells)
    return rows


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6f}"
