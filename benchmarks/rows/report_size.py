"""The report of a large experiment: how long it takes, and how large the page is."""

import json
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.arms import FailedError, run_process
from benchmarks.report_size import make_run
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

_FULL, _SMOKE = (10_000, 100), (1_000, 20)


def measure(settings: Settings) -> list[Row]:
    """Measure the size that the goal is for, or a small one."""
    samples, classes = _SMOKE if settings.smoke else _FULL
    with tempfile.TemporaryDirectory(prefix="fivefold-report-") as name:
        settings.say(f"    makes a run of {samples:,} images")
        folder = Path(name) / "run"
        make_run(folder, samples, classes)
        found = [_measured(settings, folder) for _ in range(settings.repetitions)]
    return rows_of(samples, classes, found)


def rows_of(samples: int, classes: int, found: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Make the rows of the table.

    Args:
        samples: Of the experiment.
        classes: Likewise.
        found: What each run took; empty where it failed.
    """
    known = [one for one in found if one]
    name = f"report of 5 folds x 2 stages x {samples:,} samples x {classes} classes"
    void = "torch was loaded" if any(one["torch"] for one in known) else ""
    notes = [
        f"{one['cpu_seconds']:.1f} s of a processor; {one['pictures']:,} pictures" for one in known
    ]
    busy = [one["others"] for one in known if one.get("others") is not None]
    if busy:
        notes.append(f"other processes kept up to {max(busy):.1f} cores busy meanwhile")
    seconds, size = (
        statistics.median(one[key] for one in known) if known else math.nan
        for key in ("process_seconds", "bytes")
    )
    raw = list(found)
    return [
        Row(name, "s", Goal("ours", "most", 10), ours=seconds, void=void, notes=notes, raw=raw),
        Row(f"{name}, page", "MB", Goal("ours", "most", 15), ours=size / 1e6, void=void),
    ]


def _measured(settings: Settings, folder: Path) -> Mapping[str, Any]:
    log = folder.parent / "log.txt"
    try:
        sample = run_process([sys.executable, "-m", "benchmarks.report_size", str(folder)], log)
    except FailedError as error:
        settings.say(f"    failed: {error}")
        return {}
    found: dict[str, Any] = json.loads(log.read_text("utf-8").splitlines()[-1])
    found |= {"process_seconds": sample.seconds, "others": sample.others, "load": sample.load}
    settings.say(f"    {found['process_seconds']:.1f} s, {found['bytes'] / 1e6:.1f} MB")
    return found
