"""Peer: timm's own loaders, optimizer and scheduler, which is how its train.py is made."""

from pathlib import Path
from typing import Any

import torch
from timm.data.dataset_factory import create_dataset
from timm.data.loader import create_loader
from timm.optim._optim_factory import create_optimizer_v2
from torch import nn

from benchmarks.peers.harness import (
    CROP,
    DECAY,
    MEAN,
    MOMENTUM,
    STD,
    Task,
    begin,
    build_model,
    device,
    hand_in,
)
from benchmarks.peers.training import train


def main() -> None:
    """Train one fold."""
    task, events = begin()
    training, validation = _loader(task, "train"), _loader(task, "val")
    dataset = validation.dataset
    model = build_model(task, len(dataset.reader.class_to_idx))

    def make_optimizer(net: nn.Module, rate: float) -> torch.optim.Optimizer:
        return create_optimizer_v2(net, "sgd", lr=rate, weight_decay=DECAY, momentum=MOMENTUM)

    predicted, true = train(task, events, model, (training, validation), make_optimizer)
    root = task.data / "val"
    names = [Path(dataset.filename(i, absolute=True)) for i in range(len(dataset))]
    hand_in(task, [name.relative_to(root).as_posix() for name in names], predicted, true)
    events.tell("exit")


def _loader(task: Task, part: str) -> Any:
    """Make a loader that normalises after collating, as train.py does."""
    training = part == "train"
    dataset = create_dataset("", root=str(task.data), split=part, is_training=training)
    augmented = training and task.augmented
    return create_loader(
        dataset,
        input_size=(3, task.size, task.size),
        batch_size=task.batch,
        is_training=training,
        no_aug=not augmented,
        scale=CROP,
        ratio=(4 / 3, 4 / 3),
        hflip=0.5 if augmented else 0.0,
        color_jitter=0.0,
        interpolation="bilinear",
        mean=MEAN,
        std=STD,
        crop_pct=1.0,
        crop_mode="squash",
        num_workers=task.workers,
        persistent_workers=task.tuned and task.workers > 0,
        device=torch.device(device()),
    )


if __name__ == "__main__":
    main()
