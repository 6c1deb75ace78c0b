"""A long table from its text to counted folds: `python -m benchmarks.many_rows FOLDER COUNT`.

It is read, every image's header is looked at, folds are drawn, and each class is counted in each of
them; nothing is decoded, and torch is not loaded.
"""

import ctypes
import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import Busy

_CLASSES = 100
_FOLDS = 5
_TOGETHER = 1_000  # names in a folder, and names of a file
_SIDE = 32


def make_tables(folder: Path, sizes: Sequence[int]) -> None:
    """Write a table of each size over one tree of images, its rows in a drawn order.

    The images are JPEGs of 32 pixels. Each file has 1,000 names, since a million files would take
    4 GB of most disks; for whoever opens them by name they are a million.

    Args:
        folder: Gets `images`, and `10000.csv` and the like.
        sizes: How many rows.
    """
    files = _drawn_files(folder, -(-max(sizes) // _TOGETHER))
    for i in range(max(sizes)):
        path = folder / "images" / _name(i)
        if i % _TOGETHER == 0:
            path.parent.mkdir(parents=True)
        os.link(files[i % len(files)], path)
    for count in sizes:
        order = np.random.default_rng(count).permutation(count).tolist()
        with (folder / f"{count}.csv").open("w", encoding="utf-8") as file:
            file.write("image,label\n")
            file.writelines(f"{_name(i)},class {i % _CLASSES:02}\n" for i in order)


def _name(i: int) -> str:
    return f"{i // _TOGETHER:04}/{i:09}.jpg"


def _drawn_files(folder: Path, count: int) -> list[Path]:
    rng, paths = np.random.default_rng(0), []
    (folder / "files").mkdir()
    for k in range(count):
        coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((_SIDE, _SIDE)).save(buffer, "JPEG")
        paths.append(folder / "files" / f"{k:04}.jpg")
        paths[-1].write_bytes(buffer.getvalue())
    return paths


def measure(folder: Path, count: int) -> dict[str, Any]:
    """Go through one table.

    Args:
        folder: What `make_tables` has filled.
        count: The table's rows.

    Returns:
        Seconds and processor seconds of each step; `peak` and `kept`, bytes of memory of the
        process, at most and in the end.
    """
    before, steps = _memory("VmRSS"), _Steps()
    began = time.perf_counter()
    table, splits = _prepared(folder, count, steps)
    counts = steps.take("count", lambda: _counted(table, splits))
    seconds = time.perf_counter() - began
    if len(table) != count or counts.sum() != count or counts.shape != (_FOLDS, _CLASSES):
        sys.exit(f"expected {count} samples in {_FOLDS} folds, got {counts.sum()}")
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    kept = _memory("VmRSS") - before
    return {"steps": steps.took, "seconds": seconds, "peak": _memory("VmHWM"), "kept": kept}


class _Steps:
    """How long each step took: seconds, and processor seconds of this process."""

    def __init__(self) -> None:
        self.took: dict[str, dict[str, float]] = {}

    def take(self, name: str, work: Callable[[], Any]) -> Any:
        """Take a step; gives its result."""
        began = Busy.now()
        result = work()
        ended = Busy.now()
        self.took[name] = {"seconds": ended.at - began.at, "cpu_seconds": ended.own - began.own}
        return result


def _prepared(folder: Path, count: int, steps: _Steps) -> Any:
    """Make what a training run would keep: the table of samples, and their folds."""
    source = steps.take("read", lambda: _opened(folder, count))
    found = steps.take("audit", lambda: _audited(source))
    return steps.take("split", lambda: _split(source, found))


def _opened(folder: Path, count: int) -> Any:
    from fivefold.data import CsvSource

    return CsvSource(folder / f"{count}.csv", folder / "images")


def _audited(source: Any) -> Any:
    from fivefold.core.progress import Silent
    from fivefold.data.audit import examine_headers

    found = examine_headers(source, folds=_FOLDS, progress=Silent())
    if found.refusals:
        raise found.refusals[0]
    return found.audit


def _split(source: Any, found: Any) -> Any:
    from fivefold.data.drawn_folds import make_splits
    from fivefold.data.samples import table_of

    table = table_of(source, found)
    return table, make_splits(table, folds=_FOLDS)


def _counted(table: Any, splits: Any) -> Any:
    return np.stack([_in_fold(table, splits, fold) for fold in range(_FOLDS)])


def _in_fold(table: Any, splits: Any, fold: int) -> Any:
    _, rows = splits.rows(table, fold)
    parts = np.array_split(rows, max(1, len(rows) // 4096))
    return sum(np.asarray(table.targets[part]).sum(axis=0, dtype=np.int64) for part in parts)


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Go through one table and print what it took."""
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))


if __name__ == "__main__":
    main()
