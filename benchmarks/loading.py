"""How fast batches are loaded without a model: `python -m benchmarks.loading FOLDER`.

FOLDER has a folder of pictures for each class. Ours comes from memory, cropped and flipped, in the
caller's thread; beside it torchvision's ImageFolder with Pillow, which decodes in every epoch.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.augment import build_augmentation, resize
from fivefold.core.progress import Silent
from fivefold.core.types import Image
from fivefold.data import FolderSource, audit, table_of
from fivefold.data.batches import Batches, Closer, Prepare
from fivefold.data.images import ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.larger import open_larger
from fivefold.data.preprocess import Preprocess

AUGMENTATION = (
    ("Fliplr", {"p": 0.5}),
    ("Affine", {"scale": [1.0, 1.58], "translate_percent": [-0.15, 0.15], "mode": "edge"}),
)
PARTS = (("Fliplr", {"p": 0.5}), ("RandomResizedCrop", {"scale": [0.2, 1.0]}))
ROTATION = (*AUGMENTATION, ("Affine", {"rotate": [-10, 10], "mode": "edge"}))


def measure_loading(
    pictures: Path, *, size: int = 224, batch: int = 32, repetitions: int = 5
) -> dict[str, Any]:
    """Measure images in a second on one core, and the time to the first batch.

    The arms take turns. A rate counts the processor's time of one thread, so that a busy neighbour
    weighs less; the best and the median of the repetitions are given.

    Args:
        pictures: One folder for each class.
        size: Height and width, pixels.
        batch: Images in a batch.
        repetitions: How many epochs of each arm.
    """
    images = ours(pictures, size)
    steady = prepare_of(AUGMENTATION)
    closer = closer_of(images, PARTS)
    arms: dict[str, Any] = {
        "crop_flip": partial(epoch_of, images, batch, steady),
        "crop_flip_rotate": partial(epoch_of, images, batch, prepare_of(ROTATION)),
        "flip": partial(epoch_of, images, batch, prepare_of(AUGMENTATION[:1])),
        "plain": partial(epoch_of, images, batch, None),
        "parts": partial(epoch_of, images, batch, prepare_of(PARTS)),
        "parts_of_larger": partial(epoch_of, images, batch, prepare_of(PARTS), closer=closer),
        "imagefolder_pillow": partial(imagefolder, pictures, size, batch),
    }
    rates: dict[str, list[float]] = {name: [] for name in arms}
    for repetition in range(repetitions):
        for name, arm in arms.items():
            rates[name].append(rate_of(arm(repetition)))
    latencies = [first_batch(images, batch, steady, k) for k in range(10 * repetitions)]
    median = {name: statistics.median(found) for name, found in rates.items()}
    return {
        "pictures": len(images.table),
        "size": size,
        "batch": batch,
        "images_per_second_and_core": median,
        "best": {name: max(found) for name, found in rates.items()},
        "ratio": median["crop_flip"] / median["imagefolder_pillow"],
        "first_batch_ms": statistics.median(latencies),
        "first_batch_worst_ms": max(latencies),
    }


def ours(pictures: Path, size: int) -> ResizedImages:
    """Decode all pictures into memory."""
    source = FolderSource(pictures)
    kept = Kept(Preprocess((size, size, 3), partial(resize, height=size, width=size)), len(source))
    table = table_of(source, audit(source, folds=2, progress=Silent(), kept=kept))
    return ResizedImages(source, table, kept)


def prepare_of(items: Iterable[tuple[str, Any]]) -> Any:
    """Make the function that augments a training image."""
    augmentation = build_augmentation(list(items), lambda *_: "")

    def prepare(image: Image, rng: np.random.Generator | None) -> Image:
        return image if rng is None else augmentation(image, rng)

    return prepare


def closer_of(images: ResizedImages, items: Iterable[tuple[str, Any]]) -> Closer:
    """Make what takes enlarged parts from pictures twice as high and wide, held in memory."""
    height, width, channels = images.shape
    resized = partial(resize, height=2 * height, width=2 * width)
    preprocess = Preprocess((2 * height, 2 * width, channels), resized)
    kept = Kept(preprocess, len(images.source))
    sizes = np.full((len(images.table), 2), 1 << 14)
    larger = open_larger(images, kept, sizes, Silent())
    for row in range(len(images.table)):
        larger.get(row)
    return Closer(larger, build_augmentation(list(items), lambda *_: "").closer)


def epoch_of(
    images: ResizedImages,
    batch: int,
    prepare: Prepare | None,
    epoch: int,
    threads: int = 0,
    closer: Closer | None = None,
) -> Batches:
    """Make the batches of one epoch; without an augmentation they are as validation's."""
    return Batches(
        images,
        images.table,
        np.arange(len(images.table)),
        batch=batch,
        prepare=prepare or _as_it_is,
        place=(0, 0, epoch) if prepare else None,
        threads=threads,
        closer=closer,
    )


def _as_it_is(image: Image, _: np.random.Generator | None, *mask: Image) -> Any:
    return (image, *mask) if mask else image


def first_batch(images: ResizedImages, batch: int, prepare: Prepare, epoch: int) -> float:
    """Tell how many milliseconds an epoch needs to its first batch, two threads working."""
    began = time.perf_counter()
    batches = iter(epoch_of(images, batch, prepare, epoch, threads=2))
    next(batches)
    return 1000 * (time.perf_counter() - began)


def imagefolder(pictures: Path, size: int, batch: int, epoch: int) -> Iterable[Any]:  # noqa: ARG001  as the other arms
    """Load as torchvision's reference scripts do, in this process."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    from benchmarks.peers.pictures import transform

    steps: v2.Compose = transform(size, augmented=True)
    return DataLoader(ImageFolder(str(pictures), steps), batch_size=batch, shuffle=True)


def rate_of(batches: Iterable[Any]) -> float:
    """Count images in a second of one thread's processor time."""
    count, began = 0, time.thread_time()
    for batch in batches:
        count += len(batch.indices if hasattr(batch, "indices") else batch[1])
    return count / (time.thread_time() - began)


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repetitions", type=int, default=5)
    print(json.dumps(measure_loading(**vars(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
