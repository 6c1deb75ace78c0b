"""`fivefold evaluate`: what was measured as files, tables and pictures; loads no torch."""

from fivefold.apps.evaluate.record import record_of
from fivefold.apps.evaluate.writing import write_evaluation

__all__ = ["record_of", "write_evaluation"]
