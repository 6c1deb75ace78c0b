"""Peer: files to a table with five models and four flips, as a script of timm's users does it.

Default: one process for each model (the driver starts five), Pillow, DataLoader. Tuned: one
process that decodes each photograph once for all models, with torchvision's decoder.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets.folder import default_loader

from benchmarks.peers.harness import device
from benchmarks.peers.pictures import decode_tensor, transform


class Photographs(Dataset[Tensor]):
    """Files of a folder as normalised tensors."""

    def __init__(self, paths: Sequence[Path], size: int, *, tuned: bool) -> None:
        self.paths, self.transform = paths, transform(size, augmented=False)
        self.load: Any = decode_tensor if tuned else default_loader

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> Tensor:
        image: Tensor = self.transform(self.load(str(self.paths[i])))
        return image


def main() -> None:
    """Predict a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tuned", action="store_true")
    task = parser.parse_args()
    layout = torch.channels_last if task.tuned else torch.contiguous_format
    models = [
        timm.create_model(task.model, num_classes=3).eval().to(device()).to(memory_format=layout)
        for _ in range(task.models)
    ]
    paths = sorted(task.folder.glob("*.jpg"))
    dataset = Photographs(paths, task.size, tuned=task.tuned)
    loader = DataLoader(dataset, batch_size=8, num_workers=2)
    with torch.inference_mode():
        parts = [
            _predict(models, images.to(device(), memory_format=layout)).cpu() for images in loader
        ]
    with (task.out / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        rows = torch.cat(parts).tolist()
        writer.writerows([path.name, *row] for path, row in zip(paths, rows, strict=True))


def _predict(models: Sequence[Any], images: Tensor) -> Tensor:
    """Average over models and flips."""
    views = [images, images.flip(3), images.flip(2), images.flip((2, 3))]
    probs = [model(view).softmax(1) for model in models for view in views]
    return torch.stack(probs).mean(0)


if __name__ == "__main__":
    main()
