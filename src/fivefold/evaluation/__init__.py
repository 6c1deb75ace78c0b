"""How good predictions are: metrics, which way they are better, and their spread over folds."""

from fivefold.evaluation import (
    keras_losses,
    mask_image_metrics,
    mask_losses,
    overlap,
    ranking,
    scores,
)
from fivefold.evaluation.computing import compute, is_metric
from fivefold.evaluation.confusion import confusion_matrix
from fivefold.evaluation.mask_metrics import mask_metrics
from fivefold.evaluation.mask_names import find_mask_metric, mask_metric_problem
from fivefold.evaluation.metrics import REFUSED, find_metric, is_known, metrics
from fivefold.evaluation.monitors import (
    HOLDOUT,
    base_of,
    direction,
    is_better,
    monitor_names,
    resolve_monitor,
)
from fivefold.evaluation.spread import spread
from fivefold.evaluation.tables import csv_bytes, labels_of, prediction_rows

__all__ = [
    "HOLDOUT",
    "REFUSED",
    "base_of",
    "compute",
    "confusion_matrix",
    "csv_bytes",
    "direction",
    "find_mask_metric",
    "find_metric",
    "is_better",
    "is_known",
    "is_metric",
    "keras_losses",
    "labels_of",
    "mask_image_metrics",
    "mask_losses",
    "mask_metric_problem",
    "mask_metrics",
    "metrics",
    "monitor_names",
    "overlap",
    "prediction_rows",
    "ranking",
    "resolve_monitor",
    "scores",
    "spread",
]
