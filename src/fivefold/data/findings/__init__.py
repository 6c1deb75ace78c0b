"""What a check finds in data: how often, where, and what becomes of it."""

from fivefold.data.findings.classes import absent_from_folds, findings_on_names
from fivefold.data.findings.finding import Finding, Level, of_rows
from fivefold.data.findings.looks import THRESHOLDS, findings_on_looks, told_in_a_line

__all__ = [
    "THRESHOLDS",
    "Finding",
    "Level",
    "absent_from_folds",
    "findings_on_looks",
    "findings_on_names",
    "of_rows",
    "told_in_a_line",
]
