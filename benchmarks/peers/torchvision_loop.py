"""Peer: a plain loop over torchvision's folders and transforms."""

from pathlib import Path

import torch
from torch import nn

from benchmarks.peers.harness import DECAY, MOMENTUM, Task, begin, build_model, hand_in
from benchmarks.peers.pictures import loaders
from benchmarks.peers.training import train


def main() -> None:
    """Train one fold."""
    task, events = begin()
    training, validation = loaders(task)
    dataset = training.dataset
    model = build_model(task, len(dataset.classes))  # type: ignore[attr-defined]  # ImageFolder

    def make_optimizer(net: nn.Module, rate: float) -> torch.optim.Optimizer:
        chosen = [p for p in net.parameters() if p.requires_grad]
        fused = True if task.tuned else None
        return torch.optim.SGD(chosen, rate, momentum=MOMENTUM, weight_decay=DECAY, fused=fused)

    predicted, true = train(task, events, model, (training, validation), make_optimizer)
    hand_in(task, _names(task, validation), predicted, true)
    events.tell("exit")


def _names(task: Task, loader: "torch.utils.data.DataLoader[object]") -> list[str]:
    samples = loader.dataset.samples  # type: ignore[attr-defined]  # ImageFolder
    return [Path(path).relative_to(task.data / "val").as_posix() for path, _ in samples]


if __name__ == "__main__":
    main()
