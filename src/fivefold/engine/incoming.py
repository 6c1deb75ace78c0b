"""Images as they come: each read and decoded once, resized, in batches, and then forgotten."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

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
        sizes: Height and width of each image in the batch: of the whole one where that was asked
            for, else as the network sees it.
    """

    batch: Batch
    broken: tuple[tuple[int, ImageProblem], ...]
    sizes: tuple[tuple[int, int], ...] = ()


def read_batches(
    source: Source,
    preprocess: Preprocess,
    *,
    batch: int,
    threads: int,
    transform: Callable[[Image], Image] | None = None,
    sized: bool = False,
) -> Generator[Incoming]:
    """Read every sample of a source once, in its order; at most two batches are held at a time.

    Args:
        source: What to read.
        preprocess: Makes the pixels that a network sees, here as in training.
        batch: How many readable images at a time; only the last are fewer.
        threads: How many decode ahead.
        transform: What all images of that size go through.
        sized: Whether to tell how large the whole images are.

    Raises:
        DataError: If an image has another number of channels than can be turned into the shape's.
    """

    def read(i: int) -> tuple[Image, tuple[int, int]] | ImageProblem:
        try:
            image, size = _read(source, i, preprocess, sized=sized)
            return (image if transform is None else transform(image)), size
        except ImageProblem as problem:
            return problem

    waiting = _Waiting()
    found = map_ahead(read, range(len(source)), threads=threads, ahead=batch + threads)
    with closing(found):
        for i, result in enumerate(found):
            if isinstance(result, ImageProblem):
                waiting.broken.append((i, result))
                continue
            waiting.add(i, *result)
            if len(waiting.images) == batch:
                yield waiting.taken(preprocess.shape)
                waiting = _Waiting()
    if waiting.images or waiting.broken:
        yield waiting.taken(preprocess.shape)


@dataclass
class _Waiting:
    """What the next batch will have."""

    positions: list[int] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    broken: list[tuple[int, ImageProblem]] = field(default_factory=list)

    def add(self, position: int, image: Image, size: tuple[int, int]) -> None:
        self.positions.append(position)
        self.images.append(image)
        self.sizes.append(size)

    def taken(self, shape: tuple[int, int, int]) -> Incoming:
        pixels = np.stack(self.images) if self.images else np.empty((0, *shape), np.uint8)
        batch = Batch(np.asarray(self.positions, np.int64), pixels, None)
        return Incoming(batch, tuple(self.broken), tuple(self.sizes))


def _read(
    source: Source, i: int, preprocess: Preprocess, *, sized: bool
) -> tuple[Image, tuple[int, int]]:
    """Read a sample's pixels, and how large its whole image is, or that of the pixels."""
    if not sized:
        return preprocess(source.image(i, preprocess.size), source.name_of(i)), preprocess.size
    decoded = source.fetch(i).decode(preprocess.size)
    return preprocess(decoded.image, source.name_of(i)), (decoded.height, decoded.width)
