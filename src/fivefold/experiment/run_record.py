"""Warnings are said once and kept in the run's record."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Recorder(logging.Handler):
    """Keeps warnings.

    Args:
        shows: Whether it shows them too: once there is any handler, Python itself no longer does.
    """

    def __init__(self, *, shows: bool) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        self._shows = shows

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message in self.messages:
            return
        self.messages.append(message)
        if self._shows and logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Collect what any part of fivefold warns of while the block runs."""
    root = logging.getLogger("fivefold")
    recorder = _Recorder(shows=not root.hasHandlers())
    root.addHandler(recorder)
    try:
        yield recorder.messages
    finally:
        root.removeHandler(recorder)
