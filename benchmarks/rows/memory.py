"""Memory for each sample, and for each sample and further worker."""

import json
import math
import sys
import tempfile
from pathlib import Path

from benchmarks.arms import FailedError, run_process
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row


def measure(settings: Settings) -> list[Row]:
    """Measure two sizes and take the slope; ImageFolder's beside it."""
    small, large = (500, 5_500) if settings.smoke else (1_000, 101_000)
    if not Path("/proc/self/smaps_rollup").exists():
        reason = "this system does not tell what memory is a process's own"
        return [
            Row("memory of a sample", "B", Goal("ours", "most", 100), void=reason),
            Row("memory of a sample and worker", "B", Goal("ours", "most", 5), void=reason),
        ]
    found = {kind: _slopes(settings, kind, small, large) for kind in ("ours", "imagefolder")}
    settings.say(f"    bytes per row, and per row and worker: {found}")
    notes = (f"slope from {small:,} to {large:,} pictures; worker: forked, reads all rows",)
    return [
        _row("memory of a sample", 100, found, 0, notes),
        _row("memory of a sample in each further worker", 5, found, 1, notes),
    ]


def _row(
    metric: str, bound: float, found: dict[str, list[float]], which: int, notes: tuple[str, ...]
) -> Row:
    return Row(
        metric=metric,
        unit="B",
        goal=Goal("ours", "most", bound),
        ours=found["ours"][which],
        peer=found["imagefolder"][which],
        peer_name="ImageFolder",
        limit=math.nan,
        notes=notes,
        raw=[found],
    )


def _slopes(settings: Settings, kind: str, small: int, large: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="fivefold-memory-") as name:
        folder = Path(name)
        try:
            low, high = (_measured(folder, kind, count) for count in (small, large))
        except FailedError as error:
            settings.say(f"    {kind}: failed: {error}")
            return [math.nan, math.nan]
    return [(high[key] - low[key]) / (large - small) for key in ("own", "worker")]


def _measured(folder: Path, kind: str, count: int) -> dict[str, float]:
    log = folder / "log.txt"
    command = [sys.executable, "-m", "benchmarks.memory", kind, str(count), str(folder)]
    # Linux gives threads arenas of their own, whose free parts would be counted as used.
    environment = {"FIVEFOLD_CACHE": str(folder / "cache"), "MALLOC_ARENA_MAX": "1"}
    run_process(command, log, environment)
    numbers: dict[str, float] = json.loads(log.read_text("utf-8").splitlines()[-1])
    return numbers
