"""The only writer of run state: a file is either the old one or the new one, whole.

Bytes go to a temporary file beside the target, are flushed to the disk, take the target's name in
one step, and the folder that holds the name is flushed too. A kill or a power cut at any moment
leaves a state that the next start can read.
"""

import errno
import hashlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from fivefold.core.errors import ResourceError, StateError

TEMPORARY = ".tmp-"
"""What the names of files begin with that are not whole yet."""
_LONGEST_NAME = 200  # in bytes; file systems have 255, and what stands before it needs some
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_HANDLES = {errno.EMFILE, errno.ENFILE}


def write_bytes(path: Path, data: bytes | memoryview) -> str:
    """Replace a file durably; what is no file, such as `/dev/null` or a pipe, takes the bytes.

    Returns:
        The SHA-256 of the data, in hex.

    Raises:
        ResourceError: If the disk is full, read-only or failing; the old file is untouched.
    """
    if _is_special(path):
        return _write_through(path, data)
    is_short = len(os.fsencode(path.name)) <= _LONGEST_NAME
    temporary = path.parent / f"{_temporary_name()}-{path.name if is_short else 'long'}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        # a disk that takes no file lets none go either; what counts is the first refusal
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise resource_error(path, error) from error
    return hashlib.sha256(data).hexdigest()


def holds(path: Path, sha256: str) -> bool:
    """Say whether a file is there whose bytes have a SHA-256, in hex."""
    try:
        return file_sha256(path) == sha256
    except OSError:  # not there, or not to be read: whoever writes it will tell
        return False


def file_sha256(path: Path) -> str:
    """Compute a file's SHA-256, in hex; once in a process for a file that nobody writes to.

    Raises:
        OSError: If it cannot be read.
    """
    now = path.stat()
    return _file_sha256(path, (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))


@lru_cache(maxsize=1024)
def _file_sha256(path: Path, _stamp: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> str:
    """Replace a text file durably, in UTF-8; see `write_bytes`."""
    return write_bytes(path, text.encode("utf-8", "surrogateescape"))


def write_json(path: Path, value: Mapping[str, Any]) -> str:
    """Replace a JSON file durably: sorted keys, one final newline; see `write_bytes`."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return write_text(path, text + "\n")


class Streamed:
    """A file that is written bit by bit and gets its name, whole and flushed, only at the end.

    As a context it throws away what was not committed. Refusals of the disk come as `OSError` from
    all but `commit`.

    Args:
        folder: Where it will lie; made if need be.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Not by `tempfile`, whose files nobody else may read: a cache is shared.
        self._temporary = folder / _temporary_name()
        self.file: BinaryIO = self._temporary.open("x+b")

    def __enter__(self) -> "Streamed":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def commit(self, path: Path) -> None:
        """Give the file its name in the same folder, and close it.

        Raises:
            ResourceError: If the disk is full, read-only or failing; there is then no such file.
        """
        if _is_special(path):
            self.discard()
            raise resource_error(path, OSError(errno.EEXIST, "a device or a pipe"))
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self._temporary.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            self.discard()
            raise resource_error(path, error) from error

    def discard(self) -> None:
        """Remove what has no name yet; nothing after a commit."""
        with suppress(OSError):  # closing flushes, which a full disk refuses again
            self.file.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)  # a commit has given it another name


def read_json(path: Path, hint: str = "") -> dict[str, Any]:
    """Read a JSON mapping.

    Args:
        path: The file.
        hint: What to do if it is damaged.

    Raises:
        StateError: If the file is missing, unreadable or not a JSON mapping.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{path}: expected a readable JSON file, got {error}"
        raise StateError(msg, hint=hint, slug="state/damaged") from error
    if not isinstance(value, dict):
        msg = f"{path}: expected a JSON mapping, got {type(value).__name__}"
        raise StateError(msg, hint=hint, slug="state/damaged")
    return value


def read_verified(path: Path, sha256: str, hint: str = "") -> bytes:
    """Read a file whose bytes must not have changed.

    Args:
        path: The file.
        sha256: Of its bytes, in hex.
        hint: What to do if it is missing or damaged.

    Raises:
        StateError: If it is missing or its SHA-256 differs.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: expected a readable file, got {error.strerror or error}"
        raise StateError(msg, hint=hint, slug="state/damaged") from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        msg = f"{path}: expected SHA-256 {sha256[:12]}…, got {found[:12]}…"
        otherwise = "the file was changed or damaged after it was written; restore it from a copy"
        raise StateError(msg, hint=hint or otherwise, slug="state/damaged")
    return data


def remove(path: Path) -> None:
    """Remove a file that no longer counts, and flush the folder.

    Raises:
        ResourceError: If the system refuses.
    """
    try:
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync_folder(path.parent)
    except OSError as error:
        raise resource_error(path, error, action="remove") from error


def resource_error(path: Path | str, error: OSError, action: str = "write") -> ResourceError:
    """Word what the system said when it refused a file.

    Args:
        path: The file that was wanted.
        error: What the system said.
        action: What was to be done with the file, a verb.
    """
    found = repr(error.strerror or str(error))
    if error.errno in _FULL:
        msg = f"{path}: expected room on the disk, got {found}"
        hint = (
            "free some space and run the same command again: training goes on from its last epoch"
        )
        return ResourceError(msg, hint=hint, slug="resource/disk-full")
    if error.errno in _NO_HANDLES:
        msg = f"{path}: expected to open one more file, got {found}"
        hint = "raise the limit with `ulimit -n 4096`, or set a smaller `num_workers`"
        return ResourceError(msg, hint=hint, slug="resource/open-files")
    msg = f"{path}: expected to {action} this file, got {found}"
    hint = "check the permissions and the disk, then run the same command again"
    return ResourceError(msg, hint=hint, slug="resource/cannot-write")


def _is_special(path: Path) -> bool:
    """Say whether a name is that of a device, a pipe or a socket, which must keep it."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_through(path: Path, data: bytes | memoryview) -> str:
    try:
        with path.open("wb") as file:
            file.write(data)
    except BrokenPipeError:  # its reader has gone: nobody's fault
        raise
    except OSError as error:
        raise resource_error(path, error) from error
    return hashlib.sha256(data).hexdigest()


def _temporary_name() -> str:
    """Draw a name that nobody else has: two containers may share a folder, and a number."""
    return f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # NTFS journals names; a folder cannot be opened for fsync
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
