"""torchvision's folders and transforms, as its reference scripts set them up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import InterpolationMode, v2

from benchmarks.peers.harness import CROP, MEAN, STD, Task, device


def loaders(task: Task) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Make the loaders of training and validation; tuned ones keep their workers and use uint8."""
    options: dict[str, Any] = {"batch_size": task.batch, "num_workers": task.workers}
    if task.tuned and task.workers:
        options |= {"persistent_workers": True, "prefetch_factor": 4}
        options |= {"pin_memory": device() == "cuda"}
    train = _folder(task, "train", augmented=task.augmented)
    val = _folder(task, "val", augmented=False)
    return DataLoader(train, shuffle=True, **options), DataLoader(val, **options)


def _folder(task: Task, part: str, *, augmented: bool) -> ImageFolder:
    options: dict[str, Callable[[str], Any]] = {"loader": decode_tensor} if task.tuned else {}
    return ImageFolder(str(task.data / part), transform(task.size, augmented=augmented), **options)


def decode_tensor(path: str) -> Any:
    """Decode a JPEG with torchvision's own decoder: uint8 [3, H, W]."""
    return decode_image(str(Path(path)), mode=ImageReadMode.RGB)


def transform(size: int, *, augmented: bool) -> v2.Compose:
    """Crop and flip for training, squash for validation; then normalise."""
    linear = InterpolationMode.BILINEAR
    steps: list[Any] = [v2.Resize((size, size), linear, antialias=True)]
    if augmented:
        # Crops keep the proportions of 4:3 pictures, so that what is seen is squashed alike.
        ratio = (4 / 3, 4 / 3)
        crop = v2.RandomResizedCrop((size, size), CROP, ratio, linear, antialias=True)
        steps = [crop, v2.RandomHorizontalFlip()]
    floats = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    return v2.Compose([*steps, *floats])
