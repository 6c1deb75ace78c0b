"""Many predictions measured with intervals: `python -m benchmarks.evaluate_many COUNT CLASSES`.

Numbers, their intervals, the spread over five folds, and thinned curves; torch is not loaded.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import Busy

_FOLDS = 5
_SHARPNESS = 3.0  # how far the logit of the right class stands out


def draw(count: int, classes: int) -> Any:
    """Draw predictions that are right two times out of three.

    Args:
        count: Samples.
        classes: Of a head with one true class for each sample.
    """
    from fivefold.core.predictions import Predictions
    from fivefold.core.types import Head

    rng = np.random.default_rng(0)
    truth, rows = rng.integers(0, classes, count), np.arange(count)
    probs = rng.standard_normal((count, classes), dtype=np.float32)
    probs[rows, truth] += _SHARPNESS
    np.exp(probs, out=probs)
    probs /= probs.sum(axis=1, keepdims=True)
    targets = np.zeros((count, classes), dtype=np.float32)
    targets[rows, truth] = 1
    ids = tuple(f"{i // 1_000:04}/{i:09}.jpg" for i in range(count))
    head = Head("", "softmax", tuple(f"class {i:03}" for i in range(classes)))
    return Predictions(ids, probs, (head,), targets)


def measure(count: int, classes: int) -> dict[str, Any]:
    """Measure drawn predictions.

    Args:
        count: Samples.
        classes: How many.

    Returns:
        `seconds`, and `cpu_seconds` of this process; `drawn` and `peak`, bytes of memory with the
        predictions alone, and at most; `metrics`, what came out.
    """
    from fivefold.evaluation.assessment import assess

    predictions = draw(count, classes)
    drawn = _memory("VmHWM")
    began, before = time.perf_counter(), Busy.now()
    found = assess(predictions, folds=np.arange(count) % _FOLDS)
    seconds, after = time.perf_counter() - began, Busy.now()
    own = after.own - before.own
    headline = found.heads[0].headline
    return {
        "samples": count,
        "classes": classes,
        "cores": len(os.sched_getaffinity(0)),
        "seconds": seconds,
        "cpu_seconds": own,
        "drawn": drawn,
        "peak": _memory("VmHWM"),
        "metrics": {name: [one.value, one.low, one.high] for name, one in headline.items()},
    }


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Measure once and print what it took."""
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))


if __name__ == "__main__":
    main()
