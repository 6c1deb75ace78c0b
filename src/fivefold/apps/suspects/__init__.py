"""Sheets of labels that may be wrong."""

from fivefold.apps.suspects.sheets import MOST, PER_SHEET, draw_sheets, number_of_sheets

__all__ = ["MOST", "PER_SHEET", "draw_sheets", "number_of_sheets"]
