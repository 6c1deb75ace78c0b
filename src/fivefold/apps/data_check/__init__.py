"""`fivefold data check` and `stats`: what is in a data set, and what is wrong with it."""

from fivefold.apps.data_check.check import Checked, check_data
from fivefold.apps.data_check.contact_sheets import draw_sheets
from fivefold.apps.data_check.stats import Stats, stats_of
from fivefold.apps.data_check.stats_picture import draw_stats

__all__ = [
    "Checked",
    "Stats",
    "check_data",
    "draw_sheets",
    "draw_stats",
    "stats_of",
]
