"""What all peers share: arguments, events, the net, and what they hand in.

It imports nothing of fivefold, since a peer's environment does not have it.
"""

import argparse
import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROP = (0.8, 1.0)
"""Share of the picture that a training crop has; its proportions stay."""
MOMENTUM, DECAY = 0.9, 1e-4


@dataclass(frozen=True)
class Task:
    """One fold, as the driver orders it.

    Attributes:
        data: With `train/<class>/` and `val/<class>/`.
        weights: timm's names in a `.safetensors`.
        out: Where events, checkpoints and predictions go.
        model: A name of timm.
        size: Side of the input, pixels.
        batch: Samples in a batch.
        epochs: Frozen epochs, full epochs.
        rates: Their learning rates.
        tuned: Whether everything is set that an expert would set.
        half: Whether to compute in bfloat16 where that helps.
        augmented: Whether training crops and flips.
        workers: Of the loader.
    """

    data: Path
    weights: Path
    out: Path
    model: str
    size: int
    batch: int
    epochs: tuple[int, int]
    rates: tuple[float, float]
    tuned: bool
    half: bool
    augmented: bool
    workers: int

    @property
    def stages(self) -> list[tuple[bool, int, float]]:
        """Each stage's (frozen, epochs, learning rate), without empty ones."""
        both = zip((True, False), self.epochs, self.rates, strict=True)
        return [(frozen, epochs, rate) for frozen, epochs, rate in both if epochs]


def read_task(argv: Sequence[str] | None = None) -> Task:
    """Read the command line that all peers have in common."""
    parser = argparse.ArgumentParser()
    for name in ("--data", "--weights", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, nargs=2, default=(3, 3))
    parser.add_argument("--rates", type=float, nargs=2, default=(0.1, 0.01))
    parser.add_argument("--workers", type=int, default=2)
    for name in ("--tuned", "--half", "--augmented"):
        parser.add_argument(name, action="store_true")
    found = vars(parser.parse_args(argv))
    found |= {"epochs": tuple(found["epochs"]), "rates": tuple(found["rates"])}
    return Task(**found)


class Events:
    """Lines of JSON with the time since the epoch; the driver knows when the process began.

    Args:
        out: The folder of `events.jsonl`.
    """

    def __init__(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / "events.jsonl"
        self._seen: set[str] = set()

    def tell(self, event: str, **more: float) -> None:
        """Write one event."""
        line = json.dumps({"event": event, "time": time.time(), **more})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def once(self, event: str) -> None:
        """Write an event the first time only."""
        if event not in self._seen:
            self._seen.add(event)
            self.tell(event)


def begin() -> tuple[Task, Events]:
    """Read the command line and tell that all is imported: the first line of a peer's `main`."""
    task = read_task()
    events = Events(task.out)
    events.tell("imported")
    return task, events


def device() -> str:
    """Name where to compute: the GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def build_model(task: Task, num_classes: int) -> Any:
    """Build timm's net with the weights that all start from."""
    import timm
    from safetensors.torch import load_file

    model = timm.create_model(task.model, num_classes=num_classes)
    model.load_state_dict(load_file(task.weights))
    return model


def set_frozen(model: Any, *, frozen: bool) -> None:
    """Train only the head, or everything; the mode of BatchNorm is the caller's."""
    model.requires_grad_(requires_grad=not frozen)
    model.get_classifier().requires_grad_(requires_grad=True)


def hand_in(task: Task, names: Sequence[str], classes: Sequence[int], truth: Sequence[int]) -> None:
    """Write predicted and true class numbers of the validation fold, and so the accuracy."""
    with (task.out / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "predicted", "true"])
        writer.writerows(zip(names, classes, truth, strict=True))
