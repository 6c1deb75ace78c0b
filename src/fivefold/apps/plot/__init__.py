"""Curves of a run, or of a table of epochs that another tool has written, as pictures."""

from fivefold.apps.plot.reading import Log, choose_metrics, read_log

__all__ = ["Log", "choose_metrics", "read_log"]
