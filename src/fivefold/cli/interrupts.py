"""Ctrl-C while the command line loads, and while a command is at work.

What this module imports, Ctrl-C cannot be answered for: so it is next to nothing.
"""

import os
import signal

INTERRUPTED = 130
"""What the shell says of a process that SIGINT ended."""


def end_on_interrupt() -> None:
    """End this process without a word on Ctrl-C, unless it was started to ignore that."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt where it would end the process: somebody answers it."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)  # nothing is open yet, or everything is written
