"""A thousand experiments in one table, from exec to exit."""

import sys
import tempfile
from pathlib import Path

from benchmarks.arms import run_json
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row


def measure(settings: Settings) -> list[Row]:
    """Measure `fivefold compare` with manifests, and where configs have to be read."""
    with tempfile.TemporaryDirectory(prefix="fivefold-comparing-") as folder:
        command = [sys.executable, "-m", "benchmarks.comparing"]
        command += ["--reps", "1" if settings.smoke else "10"]
        found = run_json(command, Path(folder) / "log.txt")
    return [
        Row(
            metric=f"1,000 experiments compared, {name}",
            unit="s",
            goal=Goal("ours", "most", 5.0),
            ours=times["median_seconds"],
            notes=(f"least processor seconds: {times['processor_seconds']:.2f}",),
            raw=[found],
        )
        for name, times in found.items()
    ]
