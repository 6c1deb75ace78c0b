"""Fits several experiments in one process: `python -m benchmarks.sweep FOLDER COUNT`."""

import sys
from pathlib import Path

from fivefold.experiment.experiment import Experiment


def main() -> None:
    """Fit `FOLDER/rate-0`, `FOLDER/rate-1`, …; they share what the cache holds."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    for number in range(count):
        Experiment.load(folder / f"rate-{number}").fit()


if __name__ == "__main__":
    main()
