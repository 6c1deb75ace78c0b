"""Batches of uint8 pixels: decoded once, prepared ahead in threads, the same bits every time."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.seeding import generator_for
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.decode import ImageProblem, to_channels
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source

Prepare: TypeAlias = Callable[[Image, np.random.Generator | None], Image]

_GIB = 1 << 30


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, ready for the device.

    Attributes:
        indices: Rows of the table [B].
        images: Pixels [B, H, W, C], 0-255.
        targets: One 0 or 1 for each class of all labels [B, C]; None without labels.
    """

    indices: Indices
    images: Image
    targets: Floats | None


class ResizedImages:
    """Every sample's pixels at one size, decoded once where they all fit into memory.

    Several threads may read at once. Two that meet at the same row both decode it and write the
    same bytes, so no lock is held while decoding.

    Args:
        source: Where samples are read.
        table: Which samples there are.
        resize: Turns a decoded image into one of the shape below.
        shape: Height, width and channels.
        byte_limit: Above this many bytes nothing is remembered.
    """

    def __init__(
        self,
        source: Source,
        table: SampleTable,
        resize: Callable[[Image], Image],
        shape: tuple[int, int, int],
        *,
        byte_limit: int = _GIB,
    ) -> None:
        self.source = source
        self.table = table
        self.shape = shape
        self._resize = resize
        fits = len(table) * int(np.prod(shape)) <= byte_limit
        self._memory = np.empty((len(table), *shape), dtype=np.uint8) if fits else None
        self._known = np.zeros(len(table), dtype=bool)

    @property
    def num_bytes(self) -> int:
        """How much memory the remembered pixels take once all are read."""
        return 0 if self._memory is None else self._memory.nbytes

    def get(self, row: int) -> Image:
        """Read a sample's resized pixels [H, W, C]; they are shared, so copy before changing.

        Raises:
            DataError: If it cannot be read any more, or changed since the audit.
        """
        if self._memory is None:
            return self._read(row)
        if not self._known[row]:
            self._memory[row] = self._read(row)
            self._known[row] = True  # only after the pixels are there
        return _protected(self._memory[row])

    def _read(self, row: int) -> Image:
        self._check_unchanged(row)
        try:
            pixels = self.source.image(int(self.table.indices[row]), self.shape[:2])
        except ImageProblem as problem:
            msg = f"{self.name_of(row)}: expected a readable image as before, got {problem.reason}"
            hint = f"{problem.detail}; run the same command again: the audit will set it aside"
            raise DataError(msg, hint=hint, slug="data/vanished") from problem
        if pixels.shape[2] != self.shape[2]:
            pixels = to_channels(pixels, self.shape[2], self.name_of(row))
        image = self._resize(pixels)
        if image.shape != self.shape:
            msg = f"{self.name_of(row)}: expected pixels {self.shape}, got {image.shape}"
            raise DataError(msg, slug="data/shape")
        return image

    def name_of(self, row: int) -> str:
        """Name a sample for a message: its id, and where it lies."""
        sample_id, path = self.table.ids[row], self.source.path(int(self.table.indices[row]))
        return f"{sample_id} ({path})" if path else sample_id

    def _check_unchanged(self, row: int) -> None:
        if not self.table.stamps or not self.table.stamps[row]:
            return
        stamp = self.source.stamp(int(self.table.indices[row]))
        if stamp and stamp != self.table.stamps[row]:
            msg = f"{self.name_of(row)}: expected the file that was audited, got a changed one"
            hint = "run the same command again: it checks what has changed"
            raise DataError(msg, hint=hint, slug="data/changed-file")


def _protected(pixels: Image) -> Image:
    view = pixels[:]
    view.flags.writeable = False
    return view


class Batches:
    """The batches of one pass over some rows of a table.

    With a place, the order and each sample's random numbers are functions of it, so neither
    threads nor a resume change them. A last batch of one sample is joined to the one before, since
    BatchNorm cannot learn from one.

    Args:
        images: Where pixels come from.
        table: The table that the rows belong to.
        rows: Which samples.
        batch: How many at a time.
        prepare: Turns resized pixels into what the network sees; gets a generator when training.
        seed: The experiment's seed.
        place: Fold, stage and epoch of training; None for the order given and no randomness.
        threads: How many prepare ahead; 0 prepares in the caller's thread.
    """

    def __init__(  # noqa: PLR0913  six things and two numbers make a pass
        self,
        images: ResizedImages,
        table: SampleTable,
        rows: AnyArray | Sequence[int],
        *,
        batch: int,
        prepare: Prepare,
        seed: int = 0,
        place: tuple[int, ...] | None = None,
        threads: int = 2,
    ) -> None:
        self._images = images
        self._table = table
        self._prepare = prepare
        self._seed = seed
        self._place = place
        self._threads = threads
        self._parts = self._divide(self._in_order(np.asarray(rows, dtype=np.int64)), batch)

    def __len__(self) -> int:
        return len(self._parts)

    def _in_order(self, rows: Indices) -> Indices:
        if self._place is None:
            return rows
        by_id = np.asarray(sorted(rows, key=lambda row: self._table.ids[row]), dtype=np.int64)
        return generator_for(self._seed, "order", *self._place).permutation(by_id)

    def _divide(self, rows: Indices, batch: int) -> list[Indices]:
        parts = [rows[start : start + batch] for start in range(0, len(rows), batch)]
        if self._place is not None and len(parts) > 1 and len(parts[-1]) == 1 < batch:
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def __iter__(self) -> Iterator[Batch]:
        if self._threads == 0:
            yield from map(self._make, self._parts)
            return
        stop = threading.Event()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="batches")
        try:
            yield from self._ahead(pool, stop)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _ahead(self, pool: ThreadPoolExecutor, stop: threading.Event) -> Iterator[Batch]:
        waiting: deque[Future[Batch]] = deque()
        for part in self._parts:
            waiting.append(pool.submit(self._make, part, stop))
            if len(waiting) > self._threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _make(self, rows: Indices, stop: threading.Event | None = None) -> Batch:
        pixels = []
        for row in rows:
            if stop is not None and stop.is_set():
                break  # nobody wants the batch any more
            pixels.append(self._prepared(int(row)))
        targets = None if self._table.targets is None else self._table.targets[rows]
        return Batch(rows, np.stack(pixels) if pixels else np.empty(0, np.uint8), targets)

    def _prepared(self, row: int) -> Image:
        image = self._images.get(row)
        rng = None
        if self._place is not None:
            rng = generator_for(self._seed, "augment", *self._place, self._table.ids[row])
        try:
            return self._prepare(image, rng)
        except Exception as error:
            error.add_note(f"while preparing {self._images.name_of(row)}")
            raise
