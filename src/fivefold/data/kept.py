"""What becomes of the pixels that the audit decodes: kept on the disk, in memory, or not at all."""

import logging
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from fivefold.core.cache_home import VARIABLE, CacheHome, blocked_by
from fivefold.core.cache_room import spare_bytes
from fivefold.core.errors import ResourceError
from fivefold.core.types import Image
from fivefold.data.pixel_store import NoRoomError, PixelStore, StoredRows
from fivefold.data.preprocess import Preprocess
from fivefold.data.shards import Known

logger = logging.getLogger(__name__)

MEMORY_BYTES = 1 << 30
"""What all pixels may take in memory where the disk does not keep them."""

_GB = 1_000_000_000


class PixelMemory:
    """Pixels in memory by position in the source: all that are put there, or none if too many.

    Several threads may use it. Two that meet at the same sample write the same bytes.

    Args:
        count: How many positions there are.
        shape: Of what is kept of a sample.
        byte_limit: Above this many bytes for all of them, nothing is remembered.
    """

    def __init__(self, count: int, shape: tuple[int, int, int], byte_limit: int) -> None:
        self._count, self._byte_limit = count, byte_limit
        self.fits = count * int(np.prod(shape)) <= byte_limit
        self._shape = (count if self.fits else 0, *shape)
        self._pixels: Image | None = None  # made when the first are put there
        self._making = threading.Lock()
        self._known = np.zeros(self._shape[0], dtype=bool)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process empty: it would hold a second copy of everything."""
        return PixelMemory, (self._count, self._shape[1:], self._byte_limit)

    def get(self, i: int) -> Image | None:
        """Give the pixels [shape] at a position, not to be written, or None."""
        if self._pixels is None or not self._known[i]:
            return None
        view: Image = self._pixels[i]
        view.flags.writeable = False
        return view

    def put(self, i: int, pixels: Image) -> None:
        """Remember the pixels at a position."""
        if not self.fits:
            return
        with self._making:
            if self._pixels is None:
                self._pixels = np.empty(self._shape, dtype=np.uint8)
        self._pixels[i] = pixels
        self._known[i] = True  # only after the pixels are there

    def num_known(self) -> int:
        """Count the positions that are remembered."""
        return int(self._known.sum())


class Kept:
    """The pixels of a source's samples, filled by one thread and looked up by any.

    Args:
        preprocess: How they are made.
        count: How many samples the source has.
        home: The cache on the disk; None for none.
        byte_limit: What all of them may take in memory where the disk does not keep them.
    """

    def __init__(
        self,
        preprocess: Preprocess,
        count: int,
        home: CacheHome | None = None,
        *,
        byte_limit: int = MEMORY_BYTES,
    ) -> None:
        self.preprocess = preprocess
        self.memory = PixelMemory(count, preprocess.row_shape, byte_limit)
        self._count = count
        self._store = self._opened(home) if home else None
        self._adding = self._store is not None

    @property
    def on_disk(self) -> bool:
        """Whether pixels go to the disk, for this run and all others."""
        return self._adding

    @property
    def wanted(self) -> bool:
        """Whether pixels that are offered go anywhere."""
        return self._adding or self.memory.fits

    def find(self, digest: str) -> Known | None:
        """Tell what the disk knows of the whole image whose pixels it has, or None."""
        return self._store.find(digest) if self._store else None

    def rows(self, digests: Sequence[str]) -> StoredRows | None:
        """Collect what the disk has of some samples, by their digests [N]."""
        return self._store.rows(digests) if self._store else None

    def keep(self, i: int, digest: str, pixels: Image, known: Known) -> None:
        """Take a sample's pixels.

        Args:
            i: Its position in the source.
            digest: SHA-256 of its content, in hex.
            pixels: What the preprocessing keeps of it.
            known: What is known of the whole image.
        """
        store = self._store if self._adding else None
        if store:
            try:
                store.add(digest, pixels, known, self._count - i)
            except NoRoomError:
                self._stop(self._full(store.home))
            except (OSError, ResourceError) as error:
                self._fail(error)
            else:
                return
        self.memory.put(i, pixels)

    def commit(self) -> None:
        """Make what was taken last for later runs; to be called at the end, however it comes."""
        if self._store is None:
            return
        try:
            self._store.commit()
        except (OSError, ResourceError) as error:
            self._fail(error)

    def _opened(self, home: CacheHome) -> PixelStore | None:
        needed = self._count * self.preprocess.num_bytes
        if needed > home.num_bytes:
            allowed, enough = _gigabytes(home.num_bytes), math.ceil(needed / _GB * 100) / 100
            self._warn(
                f"they need {_gigabytes(needed)} and the whole cache may take {allowed}; "
                f"`cache: {enough:g}` has room for them"
            )
            return None
        try:
            return PixelStore(home, self.preprocess)
        except (OSError, ResourceError) as error:
            self._warn(blocked_by(home) or _first_line(error))
            return None

    def _full(self, home: CacheHome) -> str:
        needed, spare = self._count * self.preprocess.num_bytes, spare_bytes(home.root)
        return (
            f"all of them need {_gigabytes(needed)} and {home.root} has {_gigabytes(spare)} to "
            f"spare; free some space, or name a folder on a larger disk by {VARIABLE}"
        )

    def _fail(self, error: OSError | ResourceError) -> None:
        if self._store is not None:
            self._store.discard()
        self._stop(_first_line(error))

    def _stop(self, reason: str) -> None:
        """Keep nothing more on the disk; what is there already is still read."""
        if self._adding:
            self._warn(reason)
        self._adding = False

    def _warn(self, reason: str) -> None:
        instead = "memory keeps them" if self.memory.fits else "every epoch decodes them again"
        logger.warning("not all decoded images are kept on the disk, %s: %s", instead, reason)


def _gigabytes(num_bytes: int) -> str:
    return f"{max(num_bytes, 0) / _GB:.3g} GB"


def _first_line(error: OSError | ResourceError) -> str:
    """Leave out the hint: it is about a run that stops."""
    return str(error).partition("\n")[0]
