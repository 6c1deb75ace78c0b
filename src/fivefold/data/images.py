"""Every sample's pixels at one size: from the disk's cache, from memory, or decoded."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from copy import copy
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray, Image, Indices
from fivefold.data.forked import read_in_order
from fivefold.data.forks import Item
from fivefold.data.image_problem import ImageProblem
from fivefold.data.kept import Kept
from fivefold.data.mask_checks import mask_of
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source


class ResizedImages:
    """Every sample's pixels at one size; wherever they come from, they are the same bits.

    Several threads may read at once. Two that meet at the same sample both decode it, so no lock
    is held while decoding.

    Args:
        source: Where samples are read.
        table: Which samples there are.
        kept: What the audit has kept of them; what it has not is decoded, and put into its memory.

    Attributes:
        shape: Height, width and channels of every image.
        masks: How the masks are written that are read with them; None without masks.
        larger: Larger pictures of them, for augmentation that enlarges; None where there are none.
    """

    larger: "LargerImages | None" = None

    def __init__(self, source: Source, table: SampleTable, kept: Kept) -> None:
        self.source = source
        self.table = table
        self.shape = kept.preprocess.shape
        self.masks = kept.preprocess.masks
        self._preprocess = kept.preprocess
        self._memory = kept.memory
        self._stored = kept.rows(table.digests)

    def with_larger(self, larger: "LargerImages") -> "ResizedImages":
        """Make the same with larger pictures beside it."""
        other = copy(self)
        other.larger = larger
        return other

    @property
    def files(self) -> Sequence[Path]:
        """The files of the disk's cache that pixels are read from."""
        return self._stored.files if self._stored else ()

    @property
    def num_bytes(self) -> int:
        """How much memory the pixels take once all are read; what the disk keeps takes none."""
        return self.bytes_of() + (self.larger.num_bytes if self.larger else 0)

    @property
    def num_bytes_ahead(self) -> int:
        """How much of `num_bytes` is not taken yet."""
        ahead = max(0, self.bytes_of() - self.bytes_known)
        return ahead + (self.larger.num_bytes_ahead if self.larger else 0)

    @property
    def stored(self) -> AnyArray:
        """Whether the disk keeps each sample's pixels [N]."""
        return np.zeros(len(self.table), bool) if self._stored is None else self._stored.here

    @property
    def bytes_known(self) -> int:
        """How much memory the pixels take that were read."""
        return self._memory.num_known() * self._preprocess.num_bytes

    def bytes_of(self, wanted: AnyArray | None = None) -> int:
        """Count the memory that pixels take once they are read.

        Args:
            wanted: Which samples are read at all [N]; all if not given.
        """
        missing = ~self.stored if wanted is None else wanted & ~self.stored
        return int(missing.sum()) * self._preprocess.num_bytes if self._memory.fits else 0

    def get(self, row: int) -> Image:
        """Read a sample's resized pixels [H, W, C]; they are shared, so copy before changing.

        Raises:
            DataError: If it cannot be read any more, or changed since the audit.
        """
        return self._preprocess.image_in(self._row(row))

    def mask(self, row: int) -> Image:
        """Read a sample's resized mask [H, W, P] where there are masks; see `get`."""
        return self._preprocess.mask_in(self._row(row))

    def both(self, row: int) -> tuple[Image, Image | None]:
        """Read a sample's image, and its mask where there are masks; see `get`."""
        return self._parts(self._row(row))

    def _parts(self, kept: Image) -> tuple[Image, Image | None]:
        mask = self._preprocess.mask_in(kept) if self.masks else None
        return self._preprocess.image_in(kept), mask

    def _row(self, row: int) -> Image:
        """Read what is kept of a sample."""
        # What lies on the disk was found by the digest of the audit: it cannot have changed.
        pixels = self._stored.read(row) if self._stored else None
        if pixels is None:
            position = int(self.table.indices[row])
            pixels = self._memory.get(position)
            if pixels is None:
                pixels = _protected(self.read_anew(row))
                self._memory.put(position, pixels)
        return pixels

    def stream(self, parts: Iterable[Indices]) -> Generator[tuple[Image, Image | None]] | None:
        """Read images and masks of rows in the order given, in processes where that is worth it.

        None where each row is better read when it is needed: where pixels are remembered, or
        where threads are of use.
        """
        missing = self._stored is None or self._stored.num_missing > 0
        if not self.source.one_at_a_time or self._memory.fits or not missing:
            return None
        return self._streamed([row for part in parts for row in part.tolist()])

    def _streamed(self, rows: Sequence[int]) -> Generator[tuple[Image, Image | None]]:
        items = read_in_order(self._item, rows, self.name_of, self.source.trust)
        with closing(items):
            yield from (self._parts(kept) for _, kept in items if kept is not None)

    def _item(self, row: int) -> Item:
        return "", self._row(row)

    def read_anew(self, row: int) -> Image:
        """Decode what is kept of a sample, wherever else it may lie; see `get`."""
        self._check_unchanged(row)
        try:
            pixels, mask = self._decoded(int(self.table.indices[row]))
        except ImageProblem as problem:
            msg = f"{self.name_of(row)}: expected a readable image as before, got {problem.reason}"
            hint = f"{problem.detail}; run the same command again: the audit will set it aside"
            raise DataError(msg, hint=hint, slug="data/vanished") from problem
        return self._preprocess.row(pixels, mask, self.name_of(row))

    def _decoded(self, i: int) -> tuple[Image, Image | None]:
        if self.masks is None:
            return self.source.image(i, self._preprocess.size), None
        decoded = self.source.fetch(i).decode(self._preprocess.size)
        return decoded.image, mask_of(decoded, self.masks)

    def name_of(self, row: int) -> str:
        """Name a sample for a message; see `Source.name_of`."""
        return self.source.name_of(int(self.table.indices[row]))

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


class LargerImages:
    """Larger pictures of those samples that have more pixels than the network sees.

    Args:
        images: All samples at the larger size.
        wanted: Whether a sample has so many pixels [N].
    """

    def __init__(self, images: ResizedImages, wanted: AnyArray) -> None:
        self.shape = images.shape
        self._images, self._wanted = images, wanted

    @property
    def num_bytes(self) -> int:
        """How much memory they take once all are read; what the disk keeps takes none."""
        return self._images.bytes_of(self._wanted)

    @property
    def num_bytes_ahead(self) -> int:
        """How much of `num_bytes` is not taken yet."""
        return max(0, self.num_bytes - self._images.bytes_known)

    def get(self, row: int) -> Image | None:
        """Read a sample's larger picture [H, W, C], not to be written; None where it has none.

        Raises:
            DataError: As `ResizedImages.get`.
        """
        return self._images.get(row) if self._wanted[row] else None
