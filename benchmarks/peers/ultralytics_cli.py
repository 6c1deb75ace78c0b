"""Peer: Ultralytics, through its command line only; its code is under the AGPL.

One run of `yolo` for each stage, the first with `freeze=1`; evaluation, averaging of weights and
the head with one more convolution are its own. The common weights come in where torchvision would
look for downloaded ones.
"""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.peers.harness import CROP, DECAY, MOMENTUM, Events, Task, device, hand_in, read_task

_NAMES = {"resnet18": ("yolo11-cls-resnet18.yaml", "resnet18-f37072fd.pth")}
"""Net to the description that comes with Ultralytics, and torchvision's name for its weights."""


def main() -> None:
    """Train one fold."""
    task = read_task()
    events = Events(task.out)
    home = _home(task)
    events.tell("imported")
    yolo = Path(sys.executable).with_name("yolo")
    model, results = _NAMES[task.model][0], Path()
    for number, (frozen, epochs, rate) in enumerate(task.stages):
        settings = {"model": model, "epochs": epochs, "lr0": rate, "name": f"stage-{number}"}
        settings |= {"freeze": 1} if frozen else {}
        words = [f"{key}={value}" for key, value in (_settings(task) | settings).items()]
        with (task.out / f"yolo-{number}.log").open("w", encoding="utf-8") as log:
            command = [str(yolo), "classify", "train", *words]
            done = subprocess.run(command, env=home, stdout=log, stderr=log, check=False)
        if done.returncode:
            sys.exit((task.out / f"yolo-{number}.log").read_text("utf-8")[-500:])
        events.tell("epoch", number=epochs, frozen=frozen)
        stage = task.out.resolve() / "run" / f"stage-{number}"
        model, results = str(stage / "weights" / "best.pt"), stage / "results.csv"
    with results.open(newline="", encoding="utf-8") as file:
        rows = [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    accuracy = max(float(row["metrics/accuracy_top1"]) for row in rows)
    count = sum(1 for _ in (task.data / "val").rglob("*.jpg"))
    right = round(accuracy * count)
    # It says how many are right, not which; the accuracy is all that is compared.
    hand_in(task, [str(i) for i in range(count)], [0] * count, [0] * right + [1] * (count - right))
    events.tell("exit")


def _home(task: Task) -> dict[str, str]:
    """Make its settings and the weights of its torchvision; returns the environment."""
    home = (task.out / "home").resolve()
    weights = home / "hub" / "checkpoints" / _NAMES[task.model][1]
    weights.parent.mkdir(parents=True)
    tensors = load_file(task.weights)
    features = tensors["fc.weight"].shape[1]
    tensors |= {"fc.weight": torch.zeros(1000, features), "fc.bias": torch.zeros(1000)}
    torch.save(tensors, weights)
    named = {"TORCH_HOME": str(home), "YOLO_CONFIG_DIR": str(home), "YOLO_OFFLINE": "True"}
    return {**os.environ, **named, "YOLO_AUTOINSTALL": "false"}


def _settings(task: Task) -> dict[str, object]:
    copy = (task.out / "data").resolve()
    if not copy.exists():
        shutil.copytree(task.data, copy, symlinks=True)  # it writes its caches beside the images
    values: dict[str, object] = {
        "data": copy,
        "imgsz": task.size,
        "batch": task.batch,
        "workers": task.workers,
        "device": 0 if device() == "cuda" else "cpu",
        "project": (task.out / "run").resolve(),
        "seed": 0,
    }
    if task.tuned:
        values |= {
            "optimizer": "SGD",
            "lrf": 1.0,
            "momentum": MOMENTUM,
            "weight_decay": DECAY,
            "warmup_epochs": 0,
            "nbs": task.batch,
            "amp": False,
            "plots": False,
            "cache": "ram",
            "auto_augment": "None",
            "erasing": 0,
            "hsv_h": 0,
            "hsv_s": 0,
            "hsv_v": 0,
            "fliplr": 0.5 if task.augmented else 0,
            "scale": 1 - CROP[0],
        }
    return values


if __name__ == "__main__":
    main()
