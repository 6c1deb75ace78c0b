"""Pictures of where models look: for whoever asks, and small ones for the report."""

from fivefold.apps.explain.mistakes import explain_mistakes
from fivefold.apps.explain.writing import Look, Written, write_explanations

__all__ = ["Look", "Written", "explain_mistakes", "write_explanations"]
