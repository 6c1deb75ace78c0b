"""How long commands take that train nothing, from exec to exit: `python -m benchmarks.startup`."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MISTAKES = """\
architecture: EfficientNetLit0
optimzer: Adam
loss: binary_crosentropy
augmentation: {Fliplr: 2}
stages: [{epochs: 1}]
"""
_MAIN = "from fivefold.cli.app import main; main()"


def measure_startup(*, repetitions: int = 10) -> dict[str, Any]:
    """Measure commands that only tell something, with warm files; the arms take turns.

    `check` is of a config with four mistakes. Beside them stand an empty process and one that only
    imports torch, as every command would do if the heavy imports stood at the top.

    Args:
        repetitions: How often each command runs.

    Returns:
        For each its best and median wall seconds, and its least processor seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(MISTAKES, encoding="utf-8")
        arms = {
            "empty process": _python("pass"),
            "import torch": _python("import torch"),
            "--help": fivefold_command("--help"),
            "--version": fivefold_command("--version"),
            "list losses": fivefold_command("list", "losses"),
            "list backbones": fivefold_command("list", "backbones"),
            "check": fivefold_command("check", str(path)),
        }
        return measure_commands(arms, repetitions)


def measure_commands(arms: Mapping[str, Sequence[str]], repetitions: int) -> dict[str, Any]:
    """Run commands in turns after one run of each that warms the files."""
    for command in arms.values():
        _run(command)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in arms}
    for _ in range(repetitions):
        for name, command in arms.items():
            taken[name].append(_run(command))
    return {
        name: {
            "seconds": min(wall for wall, _ in runs),
            "median_seconds": statistics.median(wall for wall, _ in runs),
            "processor_seconds": min(processor for _, processor in runs),
        }
        for name, runs in taken.items()
    }


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def fivefold_command(*words: str) -> list[str]:
    """Write the command line that runs fivefold with some words, as its script does."""
    return _python(f"import sys; sys.argv[1:] = {list(words)!r}; {_MAIN}")


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; give its wall and processor seconds."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    seconds, after = time.perf_counter() - started, os.times()
    user = after.children_user - before.children_user
    return seconds, user + after.children_system - before.children_system


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup")
    parser.add_argument("--reps", type=int, default=10, help="runs of each command")
    print(json.dumps(measure_startup(repetitions=parser.parse_args().reps), indent=2))


if __name__ == "__main__":
    main()
