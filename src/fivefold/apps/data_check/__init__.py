"""`fivefold data check`: what is wrong with a data set."""

from fivefold.apps.data_check.check import Checked, check_data
from fivefold.apps.data_check.contact_sheets import draw_sheets
from fivefold.apps.data_check.opening import Opened, open_data

__all__ = ["Checked", "Opened", "check_data", "draw_sheets", "open_data"]
