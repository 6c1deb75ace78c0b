"""Batches without a model: decoded once, cropped and flipped."""

import math
import sys
import tempfile
from pathlib import Path

from benchmarks.arms import run_json
from benchmarks.data import standard_set
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row


def measure(settings: Settings) -> list[Row]:
    """Measure images in a second and core at 224 pixels, and the time to the first batch."""
    pictures = standard_set(settings.folder, 100 if settings.smoke else 400)
    with tempfile.TemporaryDirectory(prefix="fivefold-loading-") as folder:
        command = [sys.executable, "-m", "benchmarks.loading", str(pictures.images)]
        command += ["--repetitions", "2" if settings.smoke else "5"]
        found = run_json(command, Path(folder) / "log.txt")
    rates = found["images_per_second_and_core"]
    cropped, plain, pillow = (rates[name] for name in ("crop_flip", "plain", "imagefolder_pillow"))
    told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    metric = "cached loading with crop and flip at 224"
    shared = {
        "unit": "img/s and core",
        "ours": cropped,
        "peer": pillow,
        "peer_name": "ImageFolder + Pillow",
        "limit": plain,
        "raw": [found],
    }
    notes = (f"medians: {told}", "limit: the same without crop and flip, which only copies")
    return [
        Row(metric, goal=Goal("ours", "least", 8_000), notes=notes, **shared),
        Row(f"{metric}, against ImageFolder", goal=Goal("ratio", "least", 20), **shared),
        Row(
            "first batch of an epoch, warm",
            "ms",
            Goal("ours", "most", 10),
            ours=found["first_batch_ms"],
            limit=math.nan,
            notes=(f"worst {found['first_batch_worst_ms']:.1f} ms",),
        ),
    ]
