"""Images as they come: each read and decoded once, resized, in batches, and then forgotten."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.types import Image
from fivefold.data import Source
from fivefold.data.batches import Batch
from fivefold.data.image_problem import ImageProblem
from fivefold.data.preprocess import Preprocess


@dataclass(frozen=True, eq=False)
class Incoming:
    """A batch of readable images, and what was met on the way to it.

    Attributes:
        batch: Its indices are positions in the source; it may be empty where all else is broken.
        broken: Positions in the source that cannot be read, each with the problem.
    """

    batch: Batch
    broken: tuple[tuple[int, ImageProblem], ...]


def read_batches(
    source: Source,
    preprocess: Preprocess,
    *,
    batch: int,
    threads: int,
    transform: Callable[[Image], Image] | None = None,
) -> Generator[Incoming]:
    """Read every sample of a source once, in its order; at most two batches are held at a time.

    Args:
        source: What to read.
        preprocess: Makes the pixels that a network sees, here as in training.
        batch: How many readable images at a time; only the last are fewer.
        threads: How many decode ahead.
        transform: What all images of that size go through.

    Raises:
        DataError: If an image has another number of channels than can be turned into the shape's.
    """

    def read(i: int) -> Image | ImageProblem:
        try:
            image = _read(source, i, preprocess)
            return image if transform is None else transform(image)
        except ImageProblem as problem:
            return problem

    images, positions, broken = list[Image](), list[int](), list[tuple[int, ImageProblem]]()
    found = map_ahead(read, range(len(source)), threads=threads, ahead=batch + threads)
    with closing(found):
        for i, result in enumerate(found):
            if isinstance(result, ImageProblem):
                broken.append((i, result))
                continue
            images.append(result)
            positions.append(i)
            if len(images) == batch:
                yield _incoming(preprocess.shape, images, positions, broken)
                images, positions, broken = [], [], []
    if images or broken:
        yield _incoming(preprocess.shape, images, positions, broken)


def _read(source: Source, i: int, preprocess: Preprocess) -> Image:
    return preprocess(source.image(i, preprocess.size), source.name_of(i))


def _incoming(
    shape: tuple[int, int, int],
    images: list[Image],
    positions: list[int],
    broken: list[tuple[int, ImageProblem]],
) -> Incoming:
    pixels = np.stack(images) if images else np.empty((0, *shape), np.uint8)
    return Incoming(Batch(np.asarray(positions, np.int64), pixels, None), tuple(broken))
