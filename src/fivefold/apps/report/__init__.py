"""The report: one page for people, and the same pictures as files."""

from fivefold.apps.report.page import write_report
from fivefold.apps.report.pictures import write_pictures

__all__ = ["write_pictures", "write_report"]
