"""Peer: one pass of the backbone over all pictures, then scikit-learn's LogisticRegression.

What an expert writes who knows that a frozen backbone gives the same features each time: eight
strengths of regularisation on five folds.
"""

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from benchmarks.peers.harness import device
from benchmarks.peers.pictures import decode_tensor, transform

Floats = NDArray[np.float32]
STRENGTHS = tuple(10.0**power for power in range(-4, 4))


def main() -> None:
    """Write the best mean accuracy to `accuracy.txt`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=128)
    task = parser.parse_args()
    with (task.root / "folds.csv").open(newline="", encoding="utf-8") as file:
        fold_of = {row["image"]: int(row["fold"]) for row in csv.DictReader(file)}
    dataset = ImageFolder(
        str(task.root / "images"), transform(task.size, augmented=False), loader=decode_tensor
    )
    names = [Path(p).relative_to(task.root / "images").as_posix() for p, _ in dataset.samples]
    folds, labels = np.array([fold_of[name] for name in names]), np.array(dataset.targets)
    features = _features(task, dataset)
    best = 0.0
    for strength in STRENGTHS:
        right = 0
        for fold in np.unique(folds):
            val = folds == fold
            head = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=200))
            head.fit(features[~val], labels[~val])
            right += int((head.predict(features[val]) == labels[val]).sum())
        best = max(best, right / len(labels))
    (task.out / "accuracy.txt").write_text(str(best), encoding="utf-8")


def _features(task: argparse.Namespace, dataset: ImageFolder) -> Floats:
    import timm

    model: Any = timm.create_model(task.model, num_classes=len(dataset.classes))
    model.load_state_dict(load_file(task.weights))
    model.reset_classifier(0)
    model = model.eval().to(device(), memory_format=torch.channels_last)
    parts = []
    with torch.inference_mode():
        for images, _ in DataLoader(dataset, batch_size=64, num_workers=2):
            pixels = images.to(device()).contiguous(memory_format=torch.channels_last)
            parts.append(model(pixels).cpu().numpy())
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
