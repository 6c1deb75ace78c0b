"""What loading costs a training step: `python -m benchmarks.training_efficiency FOLDER`.

An epoch of ours, from batches in memory, cropped and flipped, against the same number of bare steps
on one batch that is on the device already: one process, one model, taking turns from epoch 2 on.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.loading import ours
from fivefold.build import build_spec
from fivefold.config import ExperimentConfig, load
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Silent
from fivefold.core.types import Head
from fivefold.data.images import ResizedImages
from fivefold.engine.device import images_of, on_device
from fivefold.engine.fold_data import FoldData
from fivefold.engine.loop import Task, train_epoch
from fivefold.engine.pace import Pace
from fivefold.engine.stage_job import StageJob, build_task
from fivefold.models import build_classifier

_CONFIG = """\
dataset: {{folder: {pictures}}}
architecture: {architecture}
weights: none
shape: [{size}, {size}, 3]
batch: {batch}
metrics: [accuracy]
primary_metric: val_accuracy
loss: categorical_crossentropy
optimizer: {{SGD: {{momentum: 0.9, weight_decay: 1e-4}}}}
augmentation:
  - Fliplr: {{p: 0.5}}
  - Affine: {{scale: [1.0, 1.58], translate_percent: [-0.15, 0.15], mode: edge}}
stages:
  - {{epochs: 100, lr: 0.001}}
"""


def measure_efficiency(
    pictures: Path,
    *,
    architecture: str = "resnet18",
    size: int = 224,
    batch: int = 16,
    epochs: int = 5,
    threads: int = 1,
) -> dict[str, Any]:
    """Measure what share of the bare steps' speed a training epoch has.

    Args:
        pictures: One folder for each class.
        architecture: A name of timm's.
        size: Height and width, pixels.
        batch: Images in a batch.
        epochs: How many pairs are measured; the first epoch is not.
        threads: Of torch's operations. As many threads load.
    """
    torch.set_num_threads(threads)
    task = task_of(pictures, architecture, size, batch, threads)
    about = {"architecture": architecture, "size": size, "batch": batch, "threads": threads}
    return {**about, **compare(task, epochs)}


def compare(task: Task, epochs: int) -> dict[str, Any]:
    """Let epochs and bare steps of a task take turns; rates, and what share of them is reached.

    Args:
        task: What is trained; all its batches are of one size.
        epochs: How many pairs are measured; the first epoch is not.
    """
    count, steps = len(task.data.train_rows), len(task.train(0))
    train_epoch(task, 0, 0.001, lambda _: None)
    bare_steps(task, 3)
    trained, bare = Clocks(), Clocks()
    for epoch in range(1, epochs + 1):
        bare.add(partial(bare_steps, task, steps), steps * task.stage.batch)
        trained.add(partial(train_epoch, task, epoch, 0.001, lambda _: None), count)
    return {
        "images": count,
        "train_images_per_second": 1 / statistics.median(trained.wall),
        "bare_images_per_second": 1 / statistics.median(bare.wall),
        "efficiency": statistics.median(bare.wall) / statistics.median(trained.wall),
        "efficiency_of_pairs": [b / t for b, t in zip(bare.wall, trained.wall, strict=True)],
        # The loading threads' time counts too, though other cores may do it meanwhile; but what
        # neighbours take away does not.
        "efficiency_by_processor_time": statistics.median(bare.busy)
        / statistics.median(trained.busy),
    }


class Clocks:
    """Seconds for each image, by the clock and of the processor.

    Attributes:
        wall: By the clock.
        busy: Of this process on all cores.
    """

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.busy: list[float] = []

    def add(self, work: Callable[[], object], images: int) -> None:
        """Measure something that handles so many images."""
        began, began_busy = time.perf_counter(), time.process_time()
        work()
        self.wall.append((time.perf_counter() - began) / images)
        self.busy.append((time.process_time() - began_busy) / images)


def task_of(pictures: Path, architecture: str, size: int, batch: int, threads: int) -> Task:
    """Build a stage that trains everything, without a run folder."""
    values = {"architecture": architecture, "size": size, "batch": batch}
    config = config_of(_CONFIG.format(pictures=json.dumps(str(pictures)), **values))
    images = ours(pictures, size)
    heads = (Head("", "softmax", images.table.labels[0].class_names),)
    return build_work(config, images, heads, threads)


def config_of(text: str) -> ExperimentConfig:
    """Read a config that lies in no folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text, "utf-8")
        return load(path)


def build_work(
    config: ExperimentConfig, images: ResizedImages, heads: tuple[Head, ...], threads: int
) -> Task:
    """Build the first stage of a config: whole batches of all images to train on, one to validate.

    Args:
        config: What to train.
        images: All of them.
        heads: What the net is asked.
        threads: How many load.
    """
    stage, spec = config.resolve()[0], build_spec(config, heads)
    count = len(images.table) // stage.batch * stage.batch
    job = StageJob(
        folder=RunFolder.of(Path()),
        stage=stage,
        fold=0,
        seed=0,
        spec=spec,
        model=on_device(build_classifier(spec)),
        data=FoldData(images.table, images, np.arange(count).tolist(), [0], threads),
        config={},
        pace=Pace({}),
        progress=Silent(),
    )
    return build_task(job)


def bare_steps(task: Task, count: int) -> None:
    """Train on the same batch again and again: nothing but the step."""
    batch = next(iter(task.train(0)))
    images, truth = images_of(batch), task.answers.truth(batch)
    task.model.train()
    for _ in range(count):
        loss = task.loss(task.model(images), truth)
        loss.item()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        task.optimizer.step()
        task.optimizer.zero_grad(set_to_none=True)


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--architecture", default="resnet18")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    print(json.dumps(measure_efficiency(**vars(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
