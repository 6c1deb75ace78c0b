"""Masks: a training step against a bare one, loading, and 100 megapixels in tiles."""

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.arms import run_json
from benchmarks.mask_data import mask_set
from benchmarks.settings import Settings
from benchmarks.table import Goal, Row


def measure(settings: Settings) -> list[Row]:
    """Measure all three; in the short run on few images, and on one megapixel."""
    masks = mask_set(settings.folder, 48 if settings.smoke else 160)
    few = ["--epochs", "1" if settings.smoke else "5"]
    side = ["--side", "1000" if settings.smoke else "10000"]
    return [
        training_row(_run("training", masks, *few)),
        loading_row(_run("loading", masks, *few)),
        *tiles_rows(_run("tiles", settings.folder, *side)),
    ]


def _run(what: str, folder: Path, *options: str) -> Any:
    with tempfile.TemporaryDirectory(prefix="fivefold-masks-") as name:
        command = [sys.executable, "-m", "benchmarks.segmentation", what, str(folder), *options]
        return run_json(command, Path(name) / "log.txt")


def training_row(found: Mapping[str, Any]) -> Row:
    """Tell what share of bare steps' speed training has."""
    trained, bare = found["train_images_per_second"], found["bare_images_per_second"]
    pairs = ", ".join(f"{share:.3f}" for share in found["efficiency_of_pairs"])
    return Row(
        metric=f"training on masks against bare steps, Unet of {found['backbone']}@{found['size']}",
        unit="share",
        goal=Goal("ours", "least", 0.95),
        ours=found["efficiency"],
        limit=1.0,
        notes=(
            f"one thread, cropped and flipped: {trained:.1f} img/s trained, {bare:.1f} img/s of "
            f"bare steps on a resident batch; of each pair {pairs}",
        ),
        raw=[found],
    )


def loading_row(found: Mapping[str, Any]) -> Row:
    """Tell how many images with masks are loaded."""
    rates = found["images_per_second_and_core"]
    told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    return Row(
        metric=f"cached loading of images and masks with crop and flip at {found['size']}",
        unit="img/s and core",
        goal=Goal("ratio", "least", 20),
        ours=rates["crop_flip"],
        peer=rates["torchvision_files"],
        peer_name="torchvision's transforms of files",
        limit=rates["plain"],
        notes=(f"medians: {told}", "limit: the same without crop and flip, which only copies"),
        raw=[found],
    )


def tiles_rows(found: Mapping[str, Any]) -> list[Row]:
    """Tell memory and time of one large image."""
    name = f"{found['megapixels']:.0f} megapixels in tiles of {found['size']}"
    notes = (
        f"from exec to exit, a Unet of {found['backbone']} with a small decoder; "
        f"{found['cpu_seconds']:.0f} s of a processor",
    )
    peak, seconds = found["peak"] / 1e6, found["seconds"]
    return [
        Row(f"{name}, memory", "MB", Goal("ours", "most", 2000), ours=peak, raw=[found]),
        Row(name, "s", Goal("ours", "most", 300), ours=seconds, limit=math.nan, notes=notes),
    ]
