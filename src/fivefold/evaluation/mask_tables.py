"""Scores of masks as a table for people and spreadsheets."""

import numpy as np

from fivefold.core.mask_scores import MaskScores
from fivefold.core.types import AnyArray, Indices

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
    both, sums = scores.hits, scores.said + scores.true
    ious, dices = _ratio(both, sums - both), _ratio(2 * both, sums)
    rows = [["id", "pixels", "log_loss", *names]]
    for i, sample_id in enumerate(scores.ids):
        cells = [sample_id, str(scores.pixels[i]), f"{scores.log_losses[i]:.6f}"]
        for k in range(len(scores.class_names)):
            cells += [str(scores.true[i, k]), str(scores.said[i, k]), str(both[i, k])]
            cells += [_cell(ious[i, k]), _cell(dices[i, k])]
        rows.append(cells)
    return rows


def _ratio(part: Indices, whole: Indices) -> AnyArray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6f}"
