"""`fivefold compare`: many experiments in one table, read without torch."""

from fivefold.apps.compare.comparison import COUNTED, Comparison, compare, shown
from fivefold.apps.compare.reading import Compared

__all__ = ["COUNTED", "Compared", "Comparison", "compare", "shown"]
