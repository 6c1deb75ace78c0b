"""Memory for each sample: `python -m benchmarks.memory KIND COUNT FOLDER` prints JSON.

What is counted is memory that belongs to the process alone and to no file ("Anonymous" and
"Private_Dirty" of Linux), after everything that training keeps has been made. A forked process then
reads every row, as a worker does, and what that alone has made its own is counted too.
"""

import ctypes
import gc
import json
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path


def tiny_pictures(folder: Path, count: int) -> Path:
    """Write pictures of one pixel, each another one, in two classes."""
    root = folder / f"tiny-{count}"
    for number in range(count):
        path = root / ("even" if number % 2 == 0 else "odd") / f"{number:07}.png"
        if number < 2:
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(_png(number))
    return root


def read_ours(folder: Path, count: int) -> Callable[[], int]:
    """Prepare an experiment up to its first epoch; returns what reads every row."""
    from fivefold.core.layout import RunFolder
    from fivefold.core.progress import Silent
    from fivefold.experiment.datasets import prepare
    from fivefold.experiment.loading import load_checked
    from fivefold.experiment.sources import open_source

    experiment = folder / f"memory-{count}"
    experiment.mkdir(parents=True, exist_ok=True)
    pictures = tiny_pictures(folder, count)
    text = (
        f"dataset: {{folder: {json.dumps(str(pictures))}}}\narchitecture: resnet18\n"
        "weights: none\nshape: [32, 32, 3]\nstages: [{epochs: 1}]\n"
    )
    (experiment / "config.yaml").write_text(text, "utf-8")
    config = load_checked(experiment / "config.yaml", (), allow_imports=False)
    source = open_source(config, allow_imports=False, progress=Silent())
    prepared = prepare(source, config, RunFolder.of(experiment), Silent())
    # What a run keeps while it trains; the rest of what was prepared is let go of.
    kept = (prepared.table, prepared.splits, prepared.images)

    def read() -> int:
        total, table = 0, kept[0]
        for row in range(len(table)):
            total += len(table.ids[row]) + int(table.indices[row])
        return total

    return read


def read_image_folder(folder: Path, count: int) -> Callable[[], int]:
    """List the same pictures with torchvision; returns what reads every row."""
    from torchvision.datasets import ImageFolder

    dataset = ImageFolder(str(tiny_pictures(folder, count)))

    def read() -> int:
        total = 0
        for path, label in dataset.samples:
            total += len(path) + label
        return total

    return read


KINDS = {"ours": read_ours, "imagefolder": read_image_folder}


def main() -> None:
    """Measure one kind at one size."""
    kind, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    read = KINDS[kind](folder, count)
    print(json.dumps({"own": _settled("Anonymous"), "worker": _in_worker(read)}))


def _in_worker(read: Callable[[], int]) -> int:
    """Fork, read all rows there, and tell how much of the memory became the child's own, bytes."""
    gc.freeze()  # else the collector writes into what the worker shares
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        before = _own_bytes("Private_Dirty")
        read()
        os.write(send, str(_own_bytes("Private_Dirty") - before).encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as file:
        grown = int(file.read())
    os.waitpid(child, 0)
    gc.unfreeze()
    return grown


def _settled(name: str) -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _own_bytes(name)


def _own_bytes(name: str) -> int:
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def _png(number: int) -> bytes:
    """Write a PNG of one pixel whose colour is the number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0" + number.to_bytes(3, "big")))
    return b"\x89PNG\r\n\x1a\n" + header + pixel + chunk(b"IEND", b"")


if __name__ == "__main__":
    main()
