"""Points of ROC and PR curves, as few as show the same picture."""

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.evaluation.metrics import Doubles

_ROC_STEPS = 400
_PR_STEPS = 100

Points = tuple[Doubles, Doubles, Doubles]


def roc_curve(hits: Indices, ends: Indices, scores: AnyArray) -> Points:
    """Give false positive rate, true positive rate and threshold, from (0, 0) to (1, 1).

    Points in the middle of a straight line are left out, as scikit-learn does. What is then still
    more is cut into 400 pieces of equal length (along both axes) and each keeps its two ends: since
    both rates only rise, no point of the whole curve is further than 0.005 from the thinned one.

    Args:
        hits: True samples above each threshold [T], the highest first.
        ends: All samples above it [T].
        scores: The thresholds [T].
    """
    false = ends - hits
    fpr = np.append(0, false) / false[-1]
    tpr = np.append(0, hits) / hits[-1]
    thresholds = np.append(np.inf, scores.astype(np.float64))
    corners = np.append(0, false), np.append(0, hits)
    kept = _not_straight(*corners)
    fpr, tpr, thresholds = fpr[kept], tpr[kept], thresholds[kept]
    if len(kept) > 2 * _ROC_STEPS:
        piece = np.minimum((fpr + tpr) / 2 * _ROC_STEPS, _ROC_STEPS - 1).astype(np.int64)
        kept = _ends_of(piece)
        fpr, tpr, thresholds = fpr[kept], tpr[kept], thresholds[kept]
    return fpr, tpr, thresholds


def pr_curve(hits: Indices, ends: Indices, scores: AnyArray) -> Points:
    """Give recall, precision and threshold, by rising recall, from (0, 1) to full recall.

    As scikit-learn's, without what lies behind full recall. Of more than 400 points each hundredth
    of the recall keeps its first, its last, its highest and its lowest one.

    Args:
        hits: True samples above each threshold [T], the highest first.
        ends: All samples above it [T].
        scores: The thresholds [T].
    """
    stop = int(np.searchsorted(hits, hits[-1])) + 1
    recall = np.append(0, hits[:stop]) / hits[-1]
    precision = np.append(1, hits[:stop] / ends[:stop])
    thresholds = np.append(np.inf, scores[:stop].astype(np.float64))
    if len(recall) > 4 * _PR_STEPS:
        piece = np.minimum(recall * _PR_STEPS, _PR_STEPS - 1).astype(np.int64)
        kept = np.unique(np.concatenate([_ends_of(piece), _extremes(piece, precision)]))
        recall, precision, thresholds = recall[kept], precision[kept], thresholds[kept]
    return recall, precision, thresholds


def _not_straight(x: Indices, y: Indices) -> Indices:
    """Find points at which a curve turns, its ends included."""
    if len(x) < 3:
        return np.arange(len(x))
    turns = (np.diff(x, 2) != 0) | (np.diff(y, 2) != 0)
    return np.flatnonzero(np.concatenate([[True], turns, [True]]))


def _ends_of(piece: Indices) -> Indices:
    """Find the first and the last point of each piece; pieces only rise."""
    changes = np.flatnonzero(np.diff(piece))
    return np.unique(np.concatenate([[0], changes, changes + 1, [len(piece) - 1]]))


def _extremes(piece: Indices, values: Doubles) -> Indices:
    """Find the highest and the lowest point of each piece."""
    order = np.lexsort((values, piece))
    return order[_ends_of(piece[order])]
