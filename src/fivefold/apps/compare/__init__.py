"""`fivefold compare`: many experiments in one table, read without torch."""

from fivefold.apps.compare.comparison import Comparison, compare
from fivefold.apps.compare.differences import Differences, Judged
from fivefold.apps.compare.ordering import COUNTED, titled
from fivefold.apps.compare.reading import Compared
from fivefold.apps.compare.writing import shown

__all__ = [
    "COUNTED",
    "Compared",
    "Comparison",
    "Differences",
    "Judged",
    "compare",
    "shown",
    "titled",
]
