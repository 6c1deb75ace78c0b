"""How good predictions are: metrics, which way they are better, and their spread over folds."""

from fivefold.evaluation.confusion import confusion_matrix
from fivefold.evaluation.metrics import compute, find_metric, is_known, metrics
from fivefold.evaluation.monitors import (
    direction,
    is_better,
    monitor_names,
    resolve_monitor,
)
from fivefold.evaluation.spread import spread
from fivefold.evaluation.tables import csv_bytes, labels_of, prediction_rows

__all__ = [
    "compute",
    "confusion_matrix",
    "csv_bytes",
    "direction",
    "find_metric",
    "is_better",
    "is_known",
    "labels_of",
    "metrics",
    "monitor_names",
    "prediction_rows",
    "resolve_monitor",
    "spread",
]
