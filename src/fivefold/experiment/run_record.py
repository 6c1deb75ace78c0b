"""Warnings are said once and kept in the run's record."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self.messages:
            self.messages.append(message)


@contextmanager
def recorded_warnings() -> Iterator[list[str]]:
    """Collect what any part of fivefold warns of while the block runs."""
    recorder = _Recorder()
    root = logging.getLogger("fivefold")
    root.addHandler(recorder)
    try:
        yield recorder.messages
    finally:
        root.removeHandler(recorder)
