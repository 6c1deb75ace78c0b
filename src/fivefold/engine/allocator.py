"""Memory that torch frees is kept for what it asks for next.

glibc gives every block above some size back to the system as soon as it is freed, and the system
clears its pages one by one when the next step asks for them again. On a CPU that is a sixth to a
quarter of a training step.
"""

import ctypes
import sys
from functools import cache

# Of glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_BLOCK, _KEPT = 2**30, 2**31 - 1
"""Bytes: blocks up to the first are kept, as long as no more than the second lie unused."""


@cache
def keep_memory() -> None:
    """Have this process, and forks of it, keep what it frees; nothing where there is no glibc.

    Once for a process. The memory that it has taken at most stays with it until it ends.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _BLOCK)
        mallopt(_TRIM_THRESHOLD, _KEPT)
