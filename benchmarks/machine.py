"""What a run was measured on: hardware, versions, who else was busy, and the machine's limits."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "fivefold",
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
)


def describe_machine() -> dict[str, Any]:
    """Say what the machine is; no names of hosts or users."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "memory_gb": _memory_gb(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


@dataclass(frozen=True)
class Busy:
    """Processor time of the whole machine and of this process with its finished children, seconds.

    Attributes:
        machine: None where the system does not tell.
        own: User and system time.
        at: A clock's reading.
    """

    machine: float | None
    own: float
    at: float

    @classmethod
    def now(cls) -> "Busy":
        """Read the clocks."""
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return cls(_machine_seconds(), own, time.perf_counter())

    def others_since(self, before: "Busy") -> float | None:
        """How many cores others kept busy meanwhile, stolen time included; None if unknown."""
        if self.machine is None or before.machine is None or self.at <= before.at:
            return None
        others = (self.machine - before.machine) - (self.own - before.own)
        return max(0.0, others / (self.at - before.at))


def measure_limits(seconds: float = 1.0) -> dict[str, float]:
    """Measure what the machine can do at best: arithmetic, memory.

    Args:
        seconds: Spent on each.
    """
    import torch
    from torch.nn.functional import conv2d

    limits: dict[str, float] = {"threads": float(torch.get_num_threads())}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a = torch.randn(2048, 2048, dtype=kind)
        images = torch.randn(16, 64, 56, 56, dtype=kind).to(memory_format=torch.channels_last)
        kernel = torch.randn(64, 64, 3, 3, dtype=kind).to(memory_format=torch.channels_last)
        flops_conv = 2 * 16 * 56 * 56 * 64 * 64 * 9
        product = _best(lambda a=a: a @ a, seconds)  # type: ignore[misc]  # bound at once
        convolution = _best(lambda i=images, k=kernel: conv2d(i, k, padding=1), seconds)  # type: ignore[misc]  # as above
        limits[f"matrix product {name}, GFLOP/s"] = 2 * 2048**3 / product / 1e9
        limits[f"convolution {name}, GFLOP/s"] = flops_conv / convolution / 1e9
    block = torch.zeros(64 * 2**20, dtype=torch.float32)
    target = torch.empty_like(block)
    copied = _best(lambda: target.copy_(block), seconds)
    limits["copy, GB/s read and written"] = 2 * block.nbytes / copied / 1e9
    return {name: round(value, 1) for name, value in limits.items()}


def _best(work: Callable[[], Any], seconds: float) -> float:
    work()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def _machine_seconds() -> float | None:
    path = Path("/proc/stat")
    if not path.exists():
        return None
    # user nice system idle iowait irq softirq steal: all but idling and waiting is work
    ticks = [int(word) for word in path.read_text("ascii").split("\n", 1)[0].split()[1:9]]
    return float(sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        lines = path.read_text("utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return 0.0
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    here = Path(__file__).parent
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip()
