"""One process at a time in a run folder."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from fivefold.core.errors import LockedError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the kernel frees it when the process ends, however it ends.

    Raises:
        LockedError: If another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder_path = path.with_name(path.name + "-holder")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = holder_path.read_text("utf-8") if holder_path.exists() else "another process"
        msg = f"{path.parent}: expected no other process at work here, got {holder}"
        hint = "wait until it is done, or stop it; nothing was changed"
        raise LockedError(msg, hint=hint) from error
    try:
        holder_path.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        yield
    finally:
        holder_path.unlink(missing_ok=True)
        lock.release()
