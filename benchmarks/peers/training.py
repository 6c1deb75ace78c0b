"""A plain training loop over any loaders of normalised images and class numbers."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.peers.harness import Events, Task, device, set_frozen

MakeOptimizer = Callable[[nn.Module, float], torch.optim.Optimizer]


def train(
    task: Task,
    events: Events,
    model: Any,
    loaders: tuple[Iterable[Any], Iterable[Any]],
    make_optimizer: MakeOptimizer,
) -> tuple[list[int], list[int]]:
    """Train all stages; validate and save after each epoch, as the tools do.

    Args:
        task: What to do.
        events: Told of the first step and of each epoch.
        model: A net of timm with its weights.
        loaders: Training and validation.
        make_optimizer: From the net and a learning rate.

    Returns:
        Predicted and true class numbers of the last stage's best epoch.
    """
    model = model.to(device())
    if task.tuned:
        model = model.to(memory_format=torch.channels_last)
    best: tuple[float, list[int], list[int]] = (-1.0, [], [])
    for frozen, epochs, rate in task.stages:
        set_frozen(model, frozen=frozen)
        optimizer = make_optimizer(model, rate)
        best = (-1.0, [], [])
        for epoch in range(epochs):
            model.train(not frozen)
            for images, labels in loaders[0]:
                _step(task, model, optimizer, images, labels)
                events.once("first step")
            predicted, true = predict(task, model, loaders[1])
            accuracy = sum(p == t for p, t in zip(predicted, true, strict=True)) / len(true)
            torch.save(model.state_dict(), task.out / "last.pt")
            if accuracy > best[0]:
                best = (accuracy, predicted, true)
                torch.save(model.state_dict(), task.out / "best.pt")
            events.tell("epoch", number=epoch, frozen=frozen, accuracy=accuracy)
        model.load_state_dict(torch.load(task.out / "best.pt", weights_only=True))
    return best[1], best[2]


def predict(task: Task, model: nn.Module, loader: Iterable[Any]) -> tuple[list[int], list[int]]:
    """Predict a loader's images: predicted and true class numbers."""
    model.eval()
    predicted: list[int] = []
    true: list[int] = []
    with torch.inference_mode():
        for images, labels in loader:
            with _computing(task):
                logits = model(_laid_out(task, images))
            predicted += logits.argmax(1).tolist()
            true += labels.tolist()
    return predicted, true


def _step(
    task: Task, model: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
) -> None:
    with _computing(task):
        logits = model(_laid_out(task, images))
    loss = nn.functional.cross_entropy(logits.float(), labels.to(device()))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's types lack it
    optimizer.step()


def _laid_out(task: Task, images: Tensor) -> Tensor:
    images = images.to(device(), non_blocking=True)
    return images.contiguous(memory_format=torch.channels_last) if task.tuned else images


def _computing(task: Task) -> AbstractContextManager[Any]:
    return torch.autocast(device(), torch.bfloat16) if task.half else nullcontext()
