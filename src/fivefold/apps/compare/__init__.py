"""`fivefold compare`: many experiments in one table, read without torch."""

from fivefold.apps.compare.comparison import Comparison, compare, shown
from fivefold.apps.compare.reading import Compared

__all__ = ["Compared", "Comparison", "compare", "shown"]
