"""Batches of uint8 pixels: decoded once, prepared ahead in threads, the same bits every time."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, overload

import cv2
import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cells import cell_name, cell_of
from fivefold.core.errors import DataError
from fivefold.core.seeding import SampleGenerators, generator_for
from fivefold.core.types import AnyArray, Floats, Image, Indices
from fivefold.data.images import LargerImages, ResizedImages
from fivefold.data.samples import SampleTable

Pair: TypeAlias = tuple[Image, Image | None]
"""An image, and its mask where there are masks."""
CloserPrepare: TypeAlias = Callable[[Image, Callable[[], Image | None], np.random.Generator], Image]


class Prepare(Protocol):
    """Turns resized pixels into what the network sees."""

    @overload
    def __call__(self, image: Image, rng: np.random.Generator | None, /) -> Image: ...
    @overload
    def __call__(
        self, image: Image, rng: np.random.Generator | None, mask: Image, /
    ) -> tuple[Image, Image]: ...


class Mixed(Protocol):
    """A batch whose images were mixed with each other."""

    @property
    def images(self) -> Image:
        """Pixels [B, H, W, C]."""

    @property
    def targets(self) -> Floats:
        """Truth [B, C], mixed as the images are."""

    @property
    def order(self) -> Indices:
        """Which sample of the batch most of each image is [B]."""


Mix: TypeAlias = Callable[[np.random.Generator, Image, Floats], Mixed]


@dataclass(frozen=True, eq=False)
class Closer:
    """How augmentation sees what it enlarges.

    Attributes:
        images: The larger pictures.
        prepare: As `Prepare` for training, from resized pixels and what finds the larger picture.
    """

    images: LargerImages
    prepare: CloserPrepare


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples, ready for the device.

    Attributes:
        indices: Rows of the table [B]; of mixed images that of which there is most.
        images: Pixels [B, H, W, C], 0-255.
        targets: One 0 or 1 for each class of all labels [B, C], or what lies between where images
            were mixed; None without labels.
        masks: What each pixel shows, uint8 [B, H, W, P]; None without masks.
    """

    indices: Indices
    images: Image
    targets: Floats | None
    masks: Image | None = None


class Batches:
    """The batches of one pass over some rows of a table; a row may come several times.

    With a place, the order and each sample's random numbers are functions of it, so neither
    threads nor a resume change them. A last batch of one sample is joined to the one before, since
    BatchNorm cannot learn from one.

    Args:
        images: Where pixels come from.
        table: The table that the rows belong to.
        rows: Which samples.
        batch: How many at a time.
        prepare: Turns resized pixels, and their mask where there are masks, into what the network
            sees; gets a generator when training.
        seed: The experiment's seed.
        place: What the randomness belongs to: fold, stage and epoch of training; None for none.
        shuffle: Whether the place also decides the order; else it is the order given.
        threads: How many prepare ahead; 0 prepares in the caller's thread.
        mix: Mixes the images of a batch and their truth, in training; not for masks.
        most: Take only so many rows, the first ones in the order of the pass; None for all.
        crops: Cells along each side of an image: the pass is over all cells of the rows, each with
            its own place in the order and its own random numbers.
        closer: Takes the place of `prepare` where there is randomness; None where nothing is
            enlarged. Not for cells, nor for masks.

    Raises:
        DataError: If images with masks are to be mixed.
    """

    def __init__(  # noqa: PLR0913  seven things and four numbers make a pass
        self,
        images: ResizedImages,
        table: SampleTable,
        rows: AnyArray | Sequence[int],
        *,
        batch: int,
        prepare: Prepare,
        seed: int = 0,
        place: tuple[int, ...] | None = None,
        shuffle: bool = True,
        threads: int = 2,
        mix: Mix | None = None,
        most: int | None = None,
        crops: int = 1,
        closer: Closer | None = None,
    ) -> None:
        if mix is not None and images.masks:
            msg = "mix: expected images without masks, since it mixes labels of whole images"
            raise DataError(msg, hint="this is a defect of fivefold; please report it")
        self._closer = closer
        self._crops = crops
        self._images = images
        self._mix = mix
        self._table = table
        self._prepare = prepare
        self._seed = seed
        self._place = place
        self._threads = threads
        self._shuffle = shuffle and place is not None
        in_order = self._in_order(np.asarray(rows, dtype=np.int64))[:most]
        self._parts = self._divide(in_order, batch)
        self._times = self._divide(_times_before(in_order), batch) if self._shuffle else None

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def table(self) -> SampleTable:
        """The table that rows belong to."""
        return self._table

    @property
    def parts(self) -> list[Indices]:
        """The rows of each batch, in the order of the batches; of cells those of their images."""
        return [self._rows_of(part) for part in self._parts] if self._crops > 1 else self._parts

    def names(self, number: int) -> list[str]:
        """Name what each sample of a batch draws its random numbers by: no two are the same."""
        cells = self._parts[number]
        times = np.zeros_like(cells) if self._times is None else self._times[number]
        pairs = zip(cells.tolist(), times.tolist(), strict=True)
        return [self._name(cell) + (f"#{again}" if again else "") for cell, again in pairs]

    def _name(self, cell: int) -> str:
        count = self._crops**2
        name = self._table.ids[cell // count]
        return cell_name(name, self._crops, cell % count) if count > 1 else name

    def _rows_of(self, cells: Indices) -> Indices:
        return cells // self._crops**2

    def _cells_of(self, rows: Indices) -> Indices:
        """Number all cells of some rows; where images are not cut these are the rows."""
        count = self._crops**2
        return (rows[:, None] * count + np.arange(count)).ravel()

    def _in_order(self, rows: Indices) -> Indices:
        if self._place is None or not self._shuffle:
            return self._cells_of(rows)
        by_id = self._cells_of(rows[np.argsort(self._table.ranks[rows])])
        return generator_for(self._seed, "order", *self._place).permutation(by_id)

    def _divide(self, rows: Indices, batch: int) -> list[Indices]:
        parts = [rows[start : start + batch] for start in range(0, len(rows), batch)]
        if self._shuffle and len(parts) > 1 and len(parts[-1]) == 1 < batch:
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)  # batches are made in threads of ours, each image in one
        stream = self._images.stream(self.parts)
        stop = threading.Event()
        make = partial(self._make, stream=stream, stop=stop)
        if self._threads == 0:
            with _closing(stream):
                yield from map(make, enumerate(self._parts))
            return
        threads = 1 if stream else self._threads  # what comes in order is taken by one
        with _closing(stream):
            parts = enumerate(self._parts)
            yield from map_ahead(
                make, parts, threads=threads, ahead=self._threads + 1, end=stop.set
            )

    def _make(
        self, part: tuple[int, Indices], stream: Iterator[Pair] | None, stop: threading.Event
    ) -> Batch:
        number, cells = part
        rows = self._rows_of(cells)
        height, width, channels = self._images.shape
        size = (len(rows), height // self._crops, width // self._crops)
        pixels = np.empty((*size, channels), np.uint8)
        kind = self._images.masks
        masks = np.empty((*size, kind.planes), np.uint8) if kind else None
        generators = None
        if self._place is not None:
            generators = SampleGenerators(self._seed, "augment", *self._place)
        names = self.names(number) if generators else []
        for place, row in enumerate(rows.tolist()):
            if stop.is_set():
                break  # nobody wants the batch any more
            pair = self._images.both(row) if stream is None else next(stream)
            rng = generators.of(names[place]) if generators else None
            pixels[place], mask = self._prepared(row, self._cut(pair, int(cells[place])), rng)
            if masks is not None and mask is not None:
                masks[place] = mask
        targets = None if self._table.targets is None else self._table.targets[rows]
        if self._mix is None or self._place is None or targets is None:
            return Batch(rows, pixels, targets, masks)
        mixed = self._mix(generator_for(self._seed, "mix", *self._place, number), pixels, targets)
        return Batch(rows[mixed.order], mixed.images, mixed.targets)

    def _cut(self, pair: Pair, cell: int) -> Pair:
        if self._crops == 1:
            return pair
        image, mask = pair
        number = cell % self._crops**2
        image = np.ascontiguousarray(cell_of(image, self._crops, number))
        if mask is not None:
            mask = np.ascontiguousarray(cell_of(mask, self._crops, number))
        return image, mask

    def _prepared(self, row: int, pair: Pair, rng: np.random.Generator | None) -> Pair:
        image, mask = pair
        try:
            if mask is not None:
                return self._prepare(image, rng, mask)
            if self._closer is None or rng is None:
                return self._prepare(image, rng), None
            return self._closer.prepare(image, partial(self._closer.images.get, row), rng), None
        except Exception as error:
            error.add_note(f"while preparing {self._images.name_of(row)}")
            raise


def _times_before(places: Indices) -> Indices:
    """Count for each place how often it has come before [N]."""
    order = np.argsort(places, kind="stable")
    first = np.flatnonzero(np.diff(places[order], prepend=-1))
    times = np.empty(len(places), dtype=np.int64)
    times[order] = np.arange(len(places)) - np.repeat(first, np.diff(np.append(first, len(places))))
    return times


def _closing(stream: Generator[Pair] | None) -> AbstractContextManager[object]:
    return nullcontext() if stream is None else closing(stream)
