"""Files to a table: five models and flips over photographs of twelve megapixels, ours."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.data import photo_set
from fivefold.core.layout import RunFolder
from fivefold.core.types import Head
from fivefold.engine.checkpoint import Bundle, save_bundle, save_weights
from fivefold.models import ModelSpec, build_classifier

_CONFIG = """\
architecture: {architecture}
weights: none
shape: [{size}, {size}, 3]
folds_count: {folds}
stages: [{{epochs: 1}}]
"""
_CLASSES = ("cat", "cow", "dog")


@dataclass(frozen=True)
class Ensemble:
    """Models that predict together; their weights are drawn, since the time is the same.

    Attributes:
        architecture: A name that timm knows.
        size: Side of the input in pixels.
        folds: How many models.
    """

    architecture: str = "resnet18"
    size: int = 224
    folds: int = 5


def predict_photos(
    work: Path, *, ensemble: Ensemble, photos: int = 24, flips: bool = True, runs: int = 1
) -> dict[str, float]:
    """Time `fivefold predict` from its start to its end.

    Args:
        work: A folder for photographs, models and the table.
        ensemble: The models.
        photos: How many photographs.
        flips: Whether all four flips are averaged.
        runs: The best of so many counts.

    Returns:
        Seconds on the clock and of processor time, images in a second, and what the start alone
        takes: the same for one photograph of one pixel.
    """
    pictures = photo_set(work, photos)
    run = save_ensemble(work / f"{ensemble.architecture}-{ensemble.size}", ensemble)
    single = work / "single"
    _one_pixel(single)
    whole = [_timed(run, pictures, work / "table.csv", flips=flips) for _ in range(runs)]
    start = [_timed(run, single, work / "single.csv", flips=flips) for _ in range(runs)]
    seconds, cpu = min(whole)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "images_per_second": photos / seconds,
        "start_seconds": min(start)[0],
    }


def save_ensemble(folder: Path, ensemble: Ensemble) -> Path:
    """Save models as a finished training leaves them; gives the experiment's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(_CONFIG.format(**vars(ensemble)), encoding="utf-8")
    run = RunFolder.of(folder)
    shape = (ensemble.size, ensemble.size, 3)
    spec = ModelSpec(ensemble.architecture, (Head("", "softmax", _CLASSES),), shape)
    for fold in range(ensemble.folds):
        if run.bundle(fold, 0).exists():
            continue
        model = build_classifier(spec, generator_seed=fold)
        sha256 = save_weights(run.weights(fold, 0), model)
        bundle = Bundle(spec, model.input_spec, sha256, fold, 0, 0, {}, model.origin, {})
        save_bundle(run.bundle(fold, 0), bundle)
    return folder


def _one_pixel(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (1, 1)).save(folder / "pixel.png")


def _timed(run: Path, pictures: Path, table: Path, *, flips: bool) -> tuple[float, float]:
    """Run the command: seconds on the clock, and of processor time."""
    program = Path(sys.executable).with_name("fivefold")
    command = [str(program), "predict", str(run), str(pictures), "-o", str(table), "--force"]
    command += ["--tta"] if flips else []
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, after = time.perf_counter() - started, os.times()
    used = after.children_user + after.children_system
    return seconds, used - before.children_user - before.children_system
