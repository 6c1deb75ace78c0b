"""Two folds of one thread each, side by side, against one fold of two threads."""

import json
import math
import os
import subprocess
import sys
from statistics import median

from benchmarks.arms import ROOT, FailedError
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row

GOALS = {"resnet18": 1.0, "mobilenetv3_small_100": 1.2}


def measure(settings: Settings) -> list[Row]:
    """Measure both nets, in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in GOALS}
    seconds, size = (2.0, 128) if settings.smoke else (10.0, 224)
    for _ in range(settings.repetitions):
        for name, pairs in found.items():
            two = sum(_together(name, size, seconds, threads=[1, 1]))
            one = sum(_together(name, size, seconds, threads=[2]))
            settings.say(
                f"    {name}@{size}: 2 × 1 thread {two:.1f}, 1 × 2 threads {one:.1f} img/s"
            )
            pairs.append((two, one))
    return [_row(name, size, pairs) for name, pairs in found.items()]


def _row(name: str, size: int, pairs: list[tuple[float, float]]) -> Row:
    two, one = (median(values) for values in zip(*pairs, strict=True))
    told = ", ".join(f"{a:.1f} / {b:.1f}" for a, b in pairs)
    return Row(
        metric=f"two one-thread folds against one of two threads, {name}@{size}",
        unit="img/s",
        goal=Goal("ratio", "least", GOALS[name]),
        ours=two,
        peer=one,
        peer_name="2 threads",
        limit=math.nan,
        notes=(f"resident batch of 16, float32, img/s of each pair: {told}",),
        raw=[{"two": a, "one": b} for a, b in pairs],
    )


def _together(name: str, size: int, seconds: float, *, threads: list[int]) -> list[float]:
    """Run processes at the same time; their images in a second."""
    command = [sys.executable, "-m", "benchmarks.fold_threads", name, "--size", str(size)]
    command += ["--seconds", str(seconds)]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    running = [
        subprocess.Popen(
            [*command, "--threads", str(count)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for count in threads
    ]
    for process in running:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            msg = f"{name}: expected a process that is ready to train, got one that ended"
            raise FailedError(msg)
    for process in running:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()
    return [float(json.loads(process.communicate()[0])["rate"]) for process in running]
