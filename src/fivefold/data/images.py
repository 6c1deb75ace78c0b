"""Every sample's pixels at one size, decoded once."""

from collections.abc import Callable

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Image
from fivefold.data.decode import ImageProblem, to_channels
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source

_GIB = 1 << 30


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
