"""How many processor cores this process may use."""

import math
import os
from pathlib import Path

_MOST_DECODING = 8
_CGROUP = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Count the cores that this process may use; at least 1.

    The machine may have more: an affinity mask (`taskset`, a batch system) or a container's share
    of processor time (cgroup) can allow fewer. Half a core counts as one.
    """
    quota = _quota(_CGROUP)
    allowed = _allowed()
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def threads_per_fold(num_folds: int, cores: int) -> int:
    """Share cores among folds that may run side by side; at least 1 for each.

    It does not ask how many do run side by side, so that their number changes no result.
    """
    return max(1, cores // num_folds)


def decoding_threads() -> int:
    """Choose how many threads decode images where nobody has said it: as many as cores, up to 8.

    Each holds an image.
    """
    return min(usable_cores(), _MOST_DECODING)


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path) -> float | None:
    """Read how many cores a container may keep busy (a time, and the period it is of), or None."""
    limits = _numbers(root / "cpu.max")
    if not limits:  # the first generation of cgroups
        limits = _numbers(root / "cpu/cpu.cfs_quota_us") + _numbers(root / "cpu/cpu.cfs_period_us")
    if len(limits) != 2 or min(limits) <= 0:
        return None
    return limits[0] / limits[1]


def _numbers(path: Path) -> list[int]:
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError:  # no such limit on this system
        return []
    return [int(word) for word in words if word.lstrip("-").isdigit()]
