"""Room in the cache: what was not used for the longest time goes first."""

import os
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from fivefold.core.cache_home import CacheHome
from fivefold.core.durable import TEMPORARY

_KINDS = ("pixels", "features")
"""What takes room and can go; the rest is small, and worth more than its bytes."""
_OURS = re.compile(r"[0-9a-f]{16,64}\.(?:npy|index|json)")
_FORGOTTEN_SECONDS = 86_400  # of a temporary file whose writer was killed
_MOST_RESERVE = 2_000_000_000
_LOCK_SECONDS = 60


@dataclass
class _Entry:
    """Files that are of use only together: they share a folder and a name without its ending."""

    paths: list[Path] = field(default_factory=list)
    num_bytes: int = 0
    used: float = 0.0


def make_room(home: CacheHome, num_bytes: int, keep: Collection[Path] = ()) -> bool:
    """Make sure that a file can be added: within the cache's limit, and the disk does not run full.

    Entries go one after another, those first that were not used for the longest time; see
    `mark_used`. Only files that have the names of entries are ever counted or removed, and none
    outside of the folder. One process at a time is at it.

    Args:
        home: The cache.
        num_bytes: Of the new file.
        keep: Files that are in use, which must stay.

    Returns:
        Whether there is room; nothing has gone if there cannot be.

    Raises:
        OSError: If the folder cannot be read or written.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with FileLock(home.root / "lock", timeout=_LOCK_SECONDS):
        entries = list(_entries(home))
        kept = {_name_of(path) for path in keep}
        free = sorted((e for e in entries if _can_go(e, kept)), key=_last_use)
        lacking = num_bytes - min(
            home.num_bytes - sum(entry.num_bytes for entry in entries), spare_bytes(home.root)
        )
        if lacking > sum(entry.num_bytes for entry in free):
            return False
        for entry in free:
            if lacking <= 0:
                break
            lacking -= entry.num_bytes if _remove(entry) else 0
        return lacking <= 0


def spare_bytes(folder: Path) -> int:
    """Tell how much the cache may still take of a disk: 5 % stay free, or 2 GB of a large one."""
    disk = shutil.disk_usage(folder)
    return disk.free - min(disk.total // 20, _MOST_RESERVE)


def mark_used(paths: Collection[Path]) -> None:
    """Say that entries were of use now, so that others go first."""
    for path in paths:
        with suppress(OSError):  # a cache that is only read, or an entry that has just gone
            os.utime(path)


def _entries(home: CacheHome) -> Iterator[_Entry]:
    found: dict[Path, _Entry] = {}
    for path, status in _files(home):
        if path.name.startswith(TEMPORARY) and _age(status) > _FORGOTTEN_SECONDS:
            with suppress(OSError):  # somebody else's, or gone already
                path.unlink()
            continue
        entry = found.setdefault(_name_of(path), _Entry())
        entry.paths.append(path)
        entry.num_bytes += status.st_size
        entry.used = max(entry.used, status.st_mtime)
    yield from found.values()


def _files(home: CacheHome) -> Iterator[tuple[Path, os.stat_result]]:
    for kind in _KINDS:
        for folder, _, names in os.walk(home.folder(kind)):  # follows no links
            for path in (Path(folder, name) for name in names):
                if not (_OURS.fullmatch(path.name) or path.name.startswith(TEMPORARY)):
                    continue
                with suppress(FileNotFoundError):  # another process has removed it
                    yield path, path.lstat()


def _name_of(path: Path) -> Path:
    return path if path.name.startswith(TEMPORARY) else path.with_suffix("")


def _age(status: os.stat_result) -> float:
    return time.time() - status.st_mtime


def _last_use(entry: _Entry) -> tuple[float, Path]:
    return entry.used, entry.paths[0]


def _can_go(entry: _Entry, kept: Collection[Path]) -> bool:
    being_written = entry.paths[0].name.startswith(TEMPORARY)
    return not being_written and _name_of(entry.paths[0]) not in kept


def _remove(entry: _Entry) -> bool:
    """Remove an entry, its large file last: without the small one it counts for nothing.

    Returns:
        Whether all of it has gone; Windows keeps files that another process has mapped.
    """
    try:
        for path in sorted(entry.paths, key=lambda path: path.suffix == ".npy"):
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
