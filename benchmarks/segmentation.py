"""Masks: what loading costs a training step, how fast they are loaded, and a large image in tiles.

`python -m benchmarks.segmentation training FOLDER`, `loading FOLDER` or `tiles FOLDER`; the first
two get a folder with `images` and `masks`, the third a folder to work in.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.loading import epoch_of, rate_of
from benchmarks.mask_data import large_picture
from benchmarks.training_efficiency import build_work, compare, config_of
from fivefold.build import build_heads, build_spec
from fivefold.build.pixels import build_images, build_kept, build_prepare
from fivefold.config import ExperimentConfig
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.data import audit, table_of
from fivefold.data.images import ResizedImages
from fivefold.engine.checkpoint import Bundle, save_bundle, save_weights
from fivefold.experiment.sources import open_source
from fivefold.models import build_classifier

_CONFIG = """\
dataset: {{images: {root}/images, masks: {root}/masks}}
architecture: Unet
backbone: {backbone}
weights: none
decoder_filters: {filters}
classes: 1
activation: sigmoid
shape: [{size}, {size}, 3]
batch: {batch}
cache: false
metrics: [iou]
loss: binary_crossentropy
optimizer: Adam
augmentation:
  - Fliplr: {{p: 0.5}}
  - Affine: {{scale: [1.0, 1.58], translate_percent: [-0.15, 0.15], mode: edge}}
stages:
  - {{epochs: 100, lr: 0.001}}
"""
_FILTERS = (64, 48, 32, 24, 16)


def measure_training(
    root: Path,
    *,
    backbone: str = "resnet18",
    size: int = 128,
    batch: int = 8,
    epochs: int = 5,
    threads: int = 1,
) -> dict[str, Any]:
    """Measure what share of the bare steps' speed a training epoch on masks has.

    Args:
        root: With `images` and `masks`.
        backbone: Of a Unet with a small decoder.
        size: Height and width, pixels.
        batch: Images in a batch.
        epochs: How many pairs are measured.
        threads: Of torch's operations. As many threads load.
    """
    torch.set_num_threads(threads)
    config = _config(root, backbone, size, batch)
    images = _images(config)
    heads = build_heads(config, images.table.labels, images.masks)
    about = {"backbone": backbone, "size": size, "batch": batch, "threads": threads}
    return {**about, **compare(build_work(config, images, heads, threads), epochs)}


def measure_loading(
    root: Path, *, size: int = 224, batch: int = 32, repetitions: int = 5
) -> dict[str, Any]:
    """Measure images with masks in a second on one core, cropped and flipped.

    Args:
        root: With `images` and `masks`.
        size: Height and width, pixels.
        batch: Images in a batch.
        repetitions: How many epochs of each arm.
    """
    config = _config(root, "resnet18", size, batch)
    images, prepare = _images(config), build_prepare(config.resolve()[0])
    arms: dict[str, Any] = {
        "crop_flip": partial(epoch_of, images, batch, prepare),
        "plain": partial(epoch_of, images, batch, None),
        "torchvision_files": partial(_torchvision, root, size, batch),
    }
    rates: dict[str, list[float]] = {name: [] for name in arms}
    for repetition in range(repetitions):
        for name, arm in arms.items():
            rates[name].append(rate_of(arm(repetition)))
    median = {name: statistics.median(found) for name, found in rates.items()}
    best = {name: max(found) for name, found in rates.items()}
    about = {"pictures": len(images.table), "size": size, "batch": batch}
    return {**about, "images_per_second_and_core": median, "best": best}


def measure_tiles(
    folder: Path, *, side: int = 10_000, backbone: str = "mobilenetv3_small_100", size: int = 256
) -> dict[str, Any]:
    """Time `fivefold predict --tiles` on one large picture, and ask for the memory at most.

    Args:
        folder: Where picture and model are kept.
        side: Height and width of the picture, pixels.
        backbone: Of a Unet with a small decoder.
        size: Of a tile.
    """
    picture = large_picture(folder, side)
    run = _save_model(folder / f"tiles-{backbone}-{size}", backbone, size)
    program = Path(sys.executable).with_name("fivefold")
    found = folder / "found"
    shutil.rmtree(found, ignore_errors=True)
    command = [str(program), "predict", str(run), str(picture), "-o", str(found), "--tiles"]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "megapixels": side * side / 1e6,
        "backbone": backbone,
        "size": size,
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
    }


def _config(root: Path, backbone: str, size: int, batch: int) -> ExperimentConfig:
    values = {"backbone": backbone, "size": size, "batch": batch, "filters": list(_FILTERS)}
    return config_of(_CONFIG.format(root=root.resolve(), **values))


def _images(config: ExperimentConfig) -> ResizedImages:
    """Decode all images and masks into memory."""
    source = open_source(config, allow_imports=False, progress=Silent())
    kept = build_kept(config, source)
    table = table_of(source, audit(source, folds=2, progress=Silent(), kept=kept))
    return build_images(config.shape, source, table, kept)


def _save_model(folder: Path, backbone: str, size: int) -> Path:
    """Save a model with drawn weights as a finished training leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _CONFIG.format(root="..", backbone=backbone, size=size, batch=8, filters=list(_FILTERS))
    run = RunFolder.of(folder)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    if not run.bundle(0, 0).exists():
        spec = build_spec(config_of(text), (Head("", "sigmoid", ("mask",)),))
        model = build_classifier(spec, generator_seed=0)
        sha256 = save_weights(run.weights(0, 0), model)
        bundle = Bundle(spec, model.input_spec, sha256, 0, 0, 0, {}, model.origin, {})
        save_bundle(run.bundle(0, 0), bundle)
    return folder


def _torchvision(root: Path, size: int, batch: int, epoch: int) -> Iterable[Any]:  # noqa: ARG001  as the other arms
    """Load files as torchvision's reference scripts for segmentation do, in this process."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    change = v2.Compose(
        [
            v2.Resize((size, size), antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomAffine(0, translate=(0.15, 0.15), scale=(1.0, 1.58)),
            v2.ToImage(),
        ]
    )

    class Pairs(Dataset[Any]):
        def __init__(self) -> None:
            self.paths = sorted((root / "images").iterdir())

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, i: int) -> Any:
            path = self.paths[i]
            image = Image.open(path).convert("RGB")
            mask = tv_tensors.Mask(Image.open(root / "masks" / f"{path.stem}.png"))
            return change(image, mask)

    return DataLoader(Pairs(), batch_size=batch, shuffle=True)


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("training", "loading", "tiles"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--side", type=int, default=10_000)
    options = parser.parse_args()
    measures = {
        "training": partial(measure_training, epochs=options.epochs),
        "loading": partial(measure_loading, repetitions=options.epochs),
        "tiles": partial(measure_tiles, side=options.side),
    }
    print(json.dumps(measures[options.what](options.folder), indent=1))


if __name__ == "__main__":
    main()
