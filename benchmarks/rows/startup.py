"""Commands that train nothing, from exec to exit."""

import sys
import tempfile
from pathlib import Path

from benchmarks.arms import run_json
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

GOALS = {"--help": 0.15, "check": 0.4}


def measure(settings: Settings) -> list[Row]:
    """Measure the help, and a config with mistakes."""
    with tempfile.TemporaryDirectory(prefix="fivefold-startup-") as folder:
        command = [sys.executable, "-m", "benchmarks.startup"]
        command += ["--reps", "3" if settings.smoke else "20"]
        found = run_json(command, Path(folder) / "log.txt")
    told = ", ".join(
        f"{name} {times['seconds']:.2f} / {times['median_seconds']:.2f} / "
        f"{times['processor_seconds']:.2f}"
        for name, times in found.items()
    )
    notes = (f"best / median / least processor seconds: {told}", "check: a config with mistakes")
    return [
        Row(
            metric=f"fivefold {name}, from exec",
            unit="s",
            goal=Goal("ours", "most", bound),
            ours=found[name]["median_seconds"],
            peer=found["import torch"]["median_seconds"],
            peer_name="import torch",
            limit=found["empty process"]["median_seconds"],
            notes=notes,
            raw=[found],
        )
        for name, bound in GOALS.items()
    ]
