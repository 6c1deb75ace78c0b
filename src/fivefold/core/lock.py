"""One process at a time in a run folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fivefold.core.durable import resource_error
from fivefold.core.errors import LockedError

_PATIENCE = 1.0
"""Seconds: the processes of a run that was just killed may take a moment to end."""
_LOOK_EVERY = 0.05


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the kernel frees it when the process ends, however it ends.

    Raises:
        LockedError: If another process still holds it after a second.
        ResourceError: If the folder cannot be written.
    """
    holder_path = path.with_name(path.name + "-holder")
    lock = FileLock(path)
    try:
        _take(lock, path, holder_path)
        yield
    finally:
        if lock.is_locked:
            # only a text for people, which the next holder replaces
            with suppress(OSError):
                holder_path.unlink(missing_ok=True)
        lock.release()


def _take(lock: FileLock, path: Path, holder_path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=_PATIENCE, poll_interval=_LOOK_EVERY)
        holder_path.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
    except Timeout as error:
        msg = f"{path.parent}: expected no other process at work here, got {_holder(holder_path)}"
        hint = "wait until it is done, or stop it; nothing was changed"
        raise LockedError(msg, hint=hint) from error
    except OSError as error:
        raise resource_error(path, error) from error


def _holder(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:  # it is written after the lock was taken, and goes before it is free
        return "another process"
