"""Decoded and resized pixels on the disk, found by the content that they were decoded from.

Whatever shares an image and a size shares a row: folds, stages, experiments, processes, data sets.
A row is either the pixels that were written or does not count: checksums say so.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core import durable
from fivefold.core.cache_home import CacheHome
from fivefold.core.cache_room import make_room, mark_used
from fivefold.core.errors import ResourceError
from fivefold.core.types import AnyArray, Image, Indices
from fivefold.data.packed import raw_digests, small
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import Known, RowForm, Shard, ShardError, ShardWriter

logger = logging.getLogger(__name__)

SHARD_BYTES = 1 << 30
"""A shard is closed at this size: what a kill can lose, and what goes at once to make room."""
SHARD_ROWS = 1 << 13
"""Likewise: so many digests of rows that do not count yet are held in memory."""

_RECORD = "preprocess.json"
_LAYOUT = 2  # raised whenever indices are written in another way than before
_DAMAGED = "the pixel cache is damaged, images are decoded again: %s"


class NoRoomError(Exception):
    """The cache or its disk is full, and nothing else in it can go."""


class _Shelf:
    """Open shards, and the order that finds their rows; never changed, so threads may look.

    Args:
        shards: In the order that their rows are counted in.
    """

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = tuple(shards)
        self._starts = np.cumsum([0, *(len(shard.rows) for shard in shards)])
        first = [shard.rows["digest"][:, 0] for shard in shards]
        every = np.concatenate(first) if first else np.empty(0, dtype="<u8")
        order = np.argsort(every, kind="stable")
        self._order, self._first = small(order), every[order]

    def locate(self, digests: Sequence[str]) -> tuple[Indices, Indices]:
        """Find a shard and a row in it for each digest [N], [N]; the shard is -1 for none."""
        wanted = np.frombuffer(raw_digests(digests), "<u8").reshape(-1, 4)
        if not len(self._first):
            return np.full(len(wanted), -1), np.zeros(len(wanted), dtype=np.int64)
        near = np.minimum(np.searchsorted(self._first, wanted[:, 0]), len(self._first) - 1)
        places = self._order[near]
        numbers = np.searchsorted(self._starts, places, side="right") - 1
        rows = places - self._starts[numbers]
        found = np.empty_like(wanted)
        for number in np.unique(numbers):
            here = numbers == number
            found[here] = self.shards[number].rows["digest"][rows[here]]
        # Another row with the same first 64 bits only means an image that is decoded again.
        return np.where((found == wanted).all(axis=1), numbers, -1), rows


class StoredRows:
    """The pixels of a table's samples, as far as a store has them.

    Args:
        shards: The store's.
        numbers: The shard of each sample [N], -1 for none.
        rows: Its row in that shard [N].
    """

    def __init__(self, shards: Sequence[Shard], numbers: Indices, rows: Indices) -> None:
        used = set(np.unique(numbers).tolist())
        # The others would stay open for nothing.
        self._shards = [shard if k in used else None for k, shard in enumerate(shards)]
        kind = np.min_scalar_type(-len(shards) - 1)  # has room for -1
        self._numbers, self._rows = numbers.astype(kind), small(rows)
        self._told = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as paths: it maps the same files, and copies no pixels."""
        paths = [shard and shard.index_path for shard in self._shards]
        none = RowForm((0, 0, 0))
        form = next((shard.form for shard in self._shards if shard), none)
        return _reopened, (paths, form, self._numbers, self._rows)

    @property
    def files(self) -> tuple[Path, ...]:
        """The indices of the shards that samples are read from."""
        return tuple(shard.index_path for shard in self._shards if shard)

    @property
    def num_missing(self) -> int:
        """How many samples have no pixels here."""
        return int((self._numbers < 0).sum())

    @property
    def here(self) -> AnyArray:
        """Whether each sample's pixels are here, as far as is known [N]."""
        return self._numbers >= 0

    def read(self, row: int) -> Image | None:
        """Read what is kept of a sample, not to be written; None if they are not here.

        Damaged ones are said once and dropped: the next run decodes them again.
        """
        number = self._numbers[row]
        shard = self._shards[number] if number >= 0 else None
        if shard is None:
            return None
        k = int(self._rows[row])
        pixels: Image | None = shard.read(k)
        if pixels is None:
            self._numbers[row] = -1
            if not self._told:
                self._told = True
                logger.warning(_DAMAGED, f"{shard.array_path}: expected the pixels that were kept")
            with suppress(ResourceError):  # it is then met again by the next run, and said again
                shard.drop(k)
        return pixels


def _reopened(
    paths: Sequence[Path | None], form: RowForm, numbers: Indices, rows: Indices
) -> StoredRows:
    """Open the shards of some rows anew; rows whose shard has gone meanwhile are not there."""
    shards: list[Shard] = []
    found = np.full(len(paths) + 1, -1)  # the last stands for rows that were not there before
    for number, path in enumerate(paths):
        opened = _opened([path], form) if path else []
        found[number] = len(shards) if opened else -1
        shards += opened
    return StoredRows(shards, found[numbers], rows)


def _opened(paths: Sequence[Path], form: RowForm) -> list[Shard]:
    """Open shards; damaged ones are said once and removed, those that have gone left out."""
    shards, told = [], False
    for path in paths:
        try:
            shards.append(Shard(path, form))
        except FileNotFoundError:  # another process has made room
            continue
        except ShardError as error:
            if not told:
                logger.warning(_DAMAGED, error)
            told = True
            for damaged in (path, path.with_suffix(".npy")):
                with suppress(ResourceError):  # the next run meets it again, and says so
                    durable.remove(damaged)
    return shards


class PixelStore:
    """The rows of one preprocessing: looked up by any thread, added by one.

    Args:
        home: The cache.
        preprocess: How the pixels are made.

    Raises:
        OSError: If the folder cannot be read.
        ResourceError: If the folder cannot be written.
    """

    def __init__(self, home: CacheHome, preprocess: Preprocess) -> None:
        self.home = home
        masks = preprocess.masks
        self._form = RowForm(preprocess.row_shape, masks.num_classes if masks else 0)
        self._row_bytes = preprocess.num_bytes
        self.folder = self.place(home, preprocess)
        if not (self.folder / _RECORD).exists():
            durable.write_json(self.folder / _RECORD, preprocess.record)
        self._used: set[Path] = set()
        self._fresh: dict[bytes, Known] = {}
        self._writer: ShardWriter | None = None
        self._shelf = _Shelf(_opened(sorted(self.folder.glob("*.index")), self._form))

    @staticmethod
    def place(home: CacheHome, preprocess: Preprocess) -> Path:
        """Name the folder of a preprocessing's rows; it need not be there."""
        return home.folder("pixels") / f"{preprocess.key}.{_LAYOUT}"

    def find(self, digest: str) -> Known | None:
        """Tell what is known of the whole image whose pixels are here, or None."""
        fresh = self._fresh.get(bytes.fromhex(digest))
        if fresh:
            return fresh
        shelf = self._shelf  # it may be replaced meanwhile
        numbers, rows = shelf.locate([digest])
        if numbers[0] < 0:
            return None
        shard = shelf.shards[numbers[0]]
        self._use([shard])
        known: Known = shard.known(int(rows[0]))
        return known

    def rows(self, digests: Sequence[str]) -> StoredRows:
        """Collect the pixels that were committed of some images, by their digests [N]."""
        shelf = self._shelf
        numbers, rows = shelf.locate(digests)
        self._use([shelf.shards[number] for number in np.unique(numbers) if number >= 0])
        return StoredRows(shelf.shards, numbers, rows)

    def add(self, digest: str, pixels: Image, known: Known, left: int) -> None:
        """Add an image's pixels, unless they are here.

        Args:
            digest: SHA-256 of its content, in hex.
            pixels: What the preprocessing keeps of it.
            known: What is known of the whole image.
            left: How many may still be added, this one too.

        Raises:
            NoRoomError: If there is none, and none can be made.
            OSError: If the disk refuses; what was added since the last commit is then lost.
            ResourceError: Likewise.
        """
        if self.find(digest):
            return
        if self._writer is None:
            rows = min(left, SHARD_ROWS, max(1, SHARD_BYTES // self._row_bytes))
            self._make_room(rows * self._row_bytes)
            self._writer = ShardWriter(self.folder, self._form)
        key = bytes.fromhex(digest)
        self._writer.add(key, pixels, known)
        self._fresh[key] = known
        rows = len(self._writer)
        if rows == SHARD_ROWS or (rows + 1) * self._row_bytes > SHARD_BYTES:
            self.commit()

    def commit(self) -> None:
        """Make what was added count.

        Raises:
            OSError: If the disk refuses; what was added since the last commit is then lost.
            ResourceError: Likewise.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with writer:
            path = writer.finish()
        self._used.add(path)
        self._shelf = _Shelf([*self._shelf.shards, *_opened([path], self._form)])
        self._fresh = {}

    def discard(self) -> None:
        """Forget what was added since the last commit."""
        writer, self._writer, self._fresh = self._writer, None, {}
        if writer is not None:
            writer.discard()

    def _use(self, shards: Sequence[Shard]) -> None:
        new = {shard.index_path for shard in shards} - self._used
        mark_used(new)
        self._used |= new

    def _make_room(self, num_bytes: int) -> None:
        if not make_room(self.home, num_bytes, self._used.copy()):
            raise NoRoomError
        # What has gone would still take its room on the disk as long as it is open here.
        self._shelf = _Shelf([s for s in self._shelf.shards if s.index_path.exists()])
