"""What this process has open that several processes could not read from without harm."""

import os
import socket
import stat
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeAlias

from fivefold.core.durable import TEMPORARY

Key: TypeAlias = tuple[int, int, int, int]
"""What tells one open thing from another: device, inode, how it is open, its number."""

FILES, _FACTS = Path("/proc/self/fd"), Path("/proc/self/fdinfo")
_MEMORY = 1  # the kernel's number for /dev/null, /dev/zero, /dev/urandom and their like
_GPU = ("/dev/nvidia", "/dev/dri/", "/dev/kfd")  # looked for by libraries, on every such machine
_LOCK = ".lock"  # of a run folder, which names its holder in a file beside it


def facts(descriptor: int) -> tuple[int, int]:
    """Look up how a file is open: its flags, and the position in bytes.

    Raises:
        OSError: If it is closed.
    """
    lines = (_FACTS / str(descriptor)).read_text(encoding="ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(found["flags"], 8) & ~os.O_CLOEXEC, int(found["pos"])


def open_numbers() -> list[int]:
    """List the descriptors that are open."""
    return [number for number in (int(path.name) for path in FILES.iterdir()) if is_open(number)]


def is_open(descriptor: int) -> bool:
    """Tell whether it is still open."""
    try:
        os.fstat(descriptor)
    except OSError:  # the listing's own, closed since
        return False
    return True


def standing(numbers: Iterable[int] | None = None) -> frozenset[Key]:
    """Remember what is open now.

    Args:
        numbers: Only these.
    """
    if sys.platform != "linux" or not _FACTS.is_dir():
        return frozenset()
    keys = []
    for number in open_numbers() if numbers is None else numbers:
        try:
            keys.append(_key(number))
        except OSError:  # closed since
            continue
    return frozenset(keys)


def adopt(numbers: Iterable[int] | None = None) -> None:
    """Take what is open now for fivefold's own, which is no data set's.

    Args:
        numbers: Only these.
    """
    _own.update(standing(numbers))


def channel(descriptor: int, before: Collection[Key]) -> str:
    """Name what is open if processes that share it could get each other's answers; else nothing.

    Harmless is only what is known to be so.

    Args:
        descriptor: Which.
        before: What was open before there was a data set; see `standing`.

    Raises:
        OSError: If it was closed meanwhile.
    """
    found = os.fstat(descriptor)
    if descriptor <= 2 or stat.S_ISDIR(found.st_mode):  # the three that every process shares
        return ""
    key = _key(descriptor)
    if key in _own or key in standing((0, 1, 2)):
        return ""
    if stat.S_ISSOCK(found.st_mode):  # however old: an answer goes to whoever reads first
        return "" if _listens(descriptor) else "a connection is open: a socket"
    return "" if key in before else _kind(descriptor, found)


def _kind(descriptor: int, found: os.stat_result) -> str:
    path = str((FILES / str(descriptor)).readlink())
    if stat.S_ISREG(found.st_mode):
        only_read = facts(descriptor)[0] & os.O_ACCMODE == os.O_RDONLY
        return "" if only_read or _is_ours(path) else f"a file is open for writing: {path}"
    if stat.S_ISCHR(found.st_mode):
        harmless = os.major(found.st_rdev) == _MEMORY or path.startswith(_GPU)
        return "" if harmless else f"a device is open: {path}"
    return "a pipe is open" if stat.S_ISFIFO(found.st_mode) else f"a channel is open: {path}"


def is_lock(path: str) -> bool:
    """Say whether a file is the lock of a run folder."""
    return Path(path).name == _LOCK and Path(path + "-holder").exists()


def _is_ours(path: str) -> bool:
    return is_lock(path) or Path(path).name.startswith(f"{TEMPORARY}{os.getpid()}-")


def _key(descriptor: int) -> Key:
    found = os.fstat(descriptor)
    if stat.S_IFMT(found.st_mode) == 0:  # epoll, eventfd and their like all share one inode
        return found.st_dev, found.st_ino, -1, descriptor
    flags = facts(descriptor)[0] if stat.S_ISREG(found.st_mode) else 0
    return found.st_dev, found.st_ino, flags, -1


def _listens(descriptor: int) -> bool:
    with socket.socket(fileno=os.dup(descriptor)) as copy:
        return bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _inherited() -> frozenset[Key]:
    """Find pipes that came with the process, such as those of `make`: Python's own are marked."""
    if sys.platform != "linux":
        return frozenset()
    numbers = open_numbers() if FILES.is_dir() else []
    pipes = [n for n in numbers if is_open(n) and stat.S_ISFIFO(os.fstat(n).st_mode)]
    return standing(n for n in pipes if os.get_inheritable(n))


_own: set[Key] = set(_inherited())
AT_START = standing()
"""What was open when fivefold first looked, before it has made any data set."""
