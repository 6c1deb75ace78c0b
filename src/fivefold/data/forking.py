"""When this process may be forked, and what a fork has to set right before it reads data."""

import contextlib
import ctypes
import os
import signal
import stat
import sys
from collections.abc import Collection, Iterator, Mapping

from fivefold.data.channels import FILES, Key, channel, facts, is_lock, is_open, open_numbers

if sys.platform == "linux":
    import fcntl

_PR_SET_PDEATHSIG = 1


def reason_against(before: Collection[Key] = ()) -> str:
    """Say why a fork of this process could read wrong data or hang; nothing where it is safe.

    A fork shares what its parent has open. Files that are only read are set right by `own_files`;
    what several processes talk through cannot be, such as a socket, a pipe to a helper process, a
    file that is written too, nor a GPU that is in use.

    Args:
        before: What was open before there was a data set, and so is not its; see `standing`.
    """
    if sys.platform != "linux" or not FILES.is_dir():
        return "this system cannot copy a running process safely"
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        return "the GPU is in use"
    try:
        for descriptor in _descriptors():
            found = channel(descriptor, before)
            if found:
                return f"{found}, and processes cannot share it"
        for descriptor in open_files():
            os.close(os.open(FILES / str(descriptor), os.O_RDONLY))
    except OSError as error:
        return f"an open file cannot be opened again: {error}"
    return ""


def open_files() -> Mapping[int, int]:
    """Find the files that are open for reading only: descriptor to position in bytes."""
    return dict(_readers())


def own_files(places: Mapping[int, int]) -> None:
    """Open files anew in a fork, under their old numbers.

    The processes else share one position in each file, and a data set that seeks and then reads
    would read what another one asked for.

    Args:
        places: What `open_files` found before the fork.
    """
    for descriptor, place in places.items():
        if not is_open(descriptor):  # its owner closes it at a fork
            continue
        own = os.open(FILES / str(descriptor), os.O_RDONLY)
        os.lseek(own, place, os.SEEK_SET)
        os.dup2(own, descriptor, inheritable=os.get_inheritable(descriptor))
        os.close(own)


def settle_parent() -> None:
    """Bring this process into a state that a fork can work with."""
    flush()  # what waits in the buffers would be written twice
    opencv = sys.modules.get("cv2")
    if opencv:  # its threads do not exist in a fork, which would wait for them for ever
        opencv.setNumThreads(0)


def flush() -> None:
    """Write out what the data set's own code has printed; a fork ends without doing so."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream:  # a process may lack them
            stream.flush()


def settle_child(places: Mapping[int, int], parent: int = 0) -> None:
    """Let a fresh fork leave its parent's affairs alone.

    Args:
        places: What `open_files` found before the fork.
        parent: The process to end with, if its main thread has forked; see `end_with`.
    """
    if parent:
        end_with(parent)
    _close_locks()
    # An interrupt goes to all processes of a terminal; the parent gets it too, and ends its forks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    own_files(places)
    torch = sys.modules.get("torch")
    if torch:  # the forks share the cores, and the parent's threads do not exist here
        torch.set_num_threads(1)


def end_with(parent: int) -> None:
    """Let the kernel end this process as soon as its parent is gone, however that ended.

    It looks at the thread that forked, which therefore has to live as long as the process.

    Args:
        parent: Its number; this process ends now if that is gone already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def widen(pipe: int, num_bytes: int) -> None:
    """Let a pipe hold more, so that who writes need not wait for who reads."""
    # A user may own only so much; then the pipe keeps its size, and is a little slower.
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, num_bytes)


def _close_locks() -> None:
    """Close the locks of run folders: else they fall only when all forks of a killed run end."""
    for descriptor in _descriptors() if FILES.is_dir() else ():
        try:
            if is_lock(str((FILES / str(descriptor)).readlink())):
                os.close(descriptor)
        except OSError:  # the listing's own, closed since
            continue


def _readers() -> Iterator[tuple[int, int]]:
    for descriptor in _descriptors():
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                continue
            flags, place = facts(descriptor)
        except OSError:  # another thread has closed it since
            continue
        if flags & os.O_ACCMODE == os.O_RDONLY:
            yield descriptor, place


def _descriptors() -> list[int]:
    return open_numbers()
