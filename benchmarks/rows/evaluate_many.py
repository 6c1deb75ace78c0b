"""A million predictions of 100 classes measured in every common way, with intervals."""

import json
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.arms import FailedError, run_process
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

_CLASSES = 100


def measure(settings: Settings) -> list[Row]:
    """Measure as many samples as the goal is for, or few."""
    count = 20_000 if settings.smoke else 1_000_000
    if not Path("/proc/self/status").exists():
        reason = "this system does not tell how much memory a process has taken"
        return [Row(_named(count), "s", Goal("ours", "most", 30), void=reason)]
    with tempfile.TemporaryDirectory(prefix="fivefold-evaluate-") as name:
        samples = [_measured(settings, Path(name), count) for _ in range(settings.repetitions)]
    return rows_of(count, samples)


def rows_of(count: int, samples: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Make the rows of the table.

    Args:
        count: Samples that were measured on.
        samples: What each run took; empty where it failed.
    """
    known = [sample for sample in samples if sample]
    notes = []
    for sample in known:
        processor, drawn = sample["cpu_seconds"], sample["drawn"] / 1e6
        notes.append(f"{processor:.1f} s of a processor; {drawn:,.0f} MB are the predictions")
    busy = [sample["others"] for sample in known if sample.get("others") is not None]
    if busy:
        notes.append(f"other processes kept up to {max(busy):.1f} cores busy meanwhile")
    name = _named(count)
    seconds, peak = (
        statistics.median(sample[key] for sample in known) if known else math.nan
        for key in ("seconds", "peak")
    )
    raw = list(samples)
    return [
        Row(name, "s", Goal("ours", "most", 30), ours=seconds, notes=notes, raw=raw),
        Row(f"{name}, memory", "MB", Goal("ours", "most", 3_000), ours=peak / 1e6),
    ]


def _named(count: int) -> str:
    return f"{count:,} x {_CLASSES} probabilities measured, with intervals"


def _measured(settings: Settings, folder: Path, count: int) -> Mapping[str, Any]:
    log = folder / "log.txt"
    command = [sys.executable, "-m", "benchmarks.evaluate_many", str(count), str(_CLASSES)]
    try:
        sample = run_process(command, log)
    except FailedError as error:
        settings.say(f"    {count:,} samples: failed: {error}")
        return {}
    found: dict[str, Any] = json.loads(log.read_text("utf-8").splitlines()[-1])
    found |= {"process_seconds": sample.seconds, "others": sample.others, "load": sample.load}
    settings.say(f"    {count:,} samples: {found['seconds']:.1f} s")
    return found
