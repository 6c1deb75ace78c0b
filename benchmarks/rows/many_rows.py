"""A million rows of a table: read, audited by headers, split and counted."""

import json
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.arms import FailedError, run_process
from benchmarks.many_rows import make_tables
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

_NEAR = 1.2
"""How much longer than ten times as long ten times the rows may take: sorting is part of it."""


def measure(settings: Settings) -> list[Row]:
    """Measure three sizes, each ten times the one before."""
    largest = 20_000 if settings.smoke else 1_000_000
    sizes = [largest // 100, largest // 10, largest]
    if not Path("/proc/self/status").exists():
        reason = "this system does not tell how much memory a process has taken"
        return [Row(_named(largest), "s", Goal("ours", "most", 60), void=reason)]
    samples: dict[int, list[Mapping[str, Any]]] = {count: [] for count in sizes}
    with tempfile.TemporaryDirectory(prefix="fivefold-rows-") as name:
        settings.say(f"    makes {largest:,} names of images")
        make_tables(Path(name), sizes)
        for _ in range(settings.repetitions):
            for count in sizes:
                samples[count].append(_measured(settings, Path(name), count))
    return rows_of(samples)


def rows_of(samples: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[Row]:
    """Make the rows of the table.

    Args:
        samples: Number of rows, ascending, to what was measured; empty where it failed.
    """
    largest = max(samples)
    raw = [{"rows": count, **sample} for count, some in samples.items() for sample in some]
    seconds, peaks, kept = (
        {count: _median(some, key) for count, some in samples.items()}
        for key in ("seconds", "peak", "kept")
    )
    told = "; ".join(
        f"{count:,} rows: {seconds[count]:.2f} s, {peaks[count] / 1e6:,.0f} MB" for count in samples
    )
    steps = ", ".join(
        f"{name} {took['seconds']:.1f} s ({took['cpu_seconds']:.1f} of a processor)"
        for name, took in (samples[largest][-1].get("steps", {})).items()
    )
    notes = [told, f"the last of {largest:,} rows: {steps}", "files and folders were in memory"]
    busy = [sample["others"] for sample in samples[largest] if sample.get("others") is not None]
    if busy:
        notes.append(f"other processes kept up to {max(busy):.1f} cores busy meanwhile")
    smaller = sorted(samples)[-2]
    per_row = (kept[largest] - kept[smaller]) / (largest - smaller)
    name = _named(largest)
    return [
        Row(name, "s", Goal("ours", "most", 60), ours=seconds[largest], notes=notes, raw=raw),
        Row(f"{name}, memory", "MB", Goal("ours", "most", 1_000), ours=peaks[largest] / 1e6),
        Row(
            f"{name}, time of ten times the rows",
            "×",
            Goal("ours", "most", 10 * _NEAR),
            ours=seconds[largest] / seconds[smaller] if seconds[smaller] else math.nan,
        ),
        Row(f"{name}, memory that stays", "B a row", Goal("ours", "most", 100), ours=per_row),
    ]


def _named(count: int) -> str:
    return f"{count:,} rows read, audited by headers, split and counted"


def _median(samples: Sequence[Mapping[str, Any]], key: str) -> float:
    found = [float(sample[key]) for sample in samples if key in sample]
    return statistics.median(found) if found else math.nan


def _measured(settings: Settings, folder: Path, count: int) -> Mapping[str, Any]:
    log = folder / "log.txt"
    command = [sys.executable, "-m", "benchmarks.many_rows", str(folder), str(count)]
    try:
        # Linux gives threads arenas of their own, whose free parts would be counted as used.
        sample = run_process(command, log, {"MALLOC_ARENA_MAX": "1"})
    except FailedError as error:
        settings.say(f"    {count:,} rows: failed: {error}")
        return {}
    found: dict[str, Any] = json.loads(log.read_text("utf-8").splitlines()[-1])
    found |= {"process_seconds": sample.seconds, "others": sample.others, "load": sample.load}
    settings.say(f"    {count:,} rows: {found}")
    return found
