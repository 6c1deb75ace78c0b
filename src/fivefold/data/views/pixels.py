"""Images that go through a function, or are remembered."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from fivefold.core.errors import DataError
from fivefold.core.types import Image
from fivefold.data.decode import Decoded
from fivefold.data.python_class import as_image, as_problem
from fivefold.data.source import Fetched, Sample, Source, digest_of
from fivefold.data.views.changed import ChangedSource

logger = logging.getLogger(__name__)

MEMORY_BYTES = 1 << 30


def map_images(source: Source, function: Callable[[Image], Any]) -> Source:
    """Send every image through a function.

    A sample is known by the pixels that come out: whatever the function or what it calls is changed
    to, nothing that was computed from other pixels is taken for it. So each run calls it once for
    each sample; what epochs read lies in the cache. It is called from several threads at once and
    must depend on its image alone. A mask stays as it is, so the image has to stay as large.

    Args:
        source: The samples.
        function: From pixels [H, W, C], its own to change, to an image: [H, W] or [H, W, C] of
            numbers, or a Pillow image. What it raises sets the sample aside.
    """
    return _MappedSource(source, function)


class _MappedSource(ChangedSource):
    def __init__(self, source: Source, function: Callable[[Image], Any]) -> None:
        super().__init__(source)
        self._function = function

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:  # noqa: ARG002  the function sees all pixels
        given = self._source.image(i).copy()  # which may be a data set's own array
        with as_problem(self.name_of(i)):
            return as_image(self._function(given))

    def fetch(self, i: int) -> Fetched:
        image, mask = self.image(i), self.mask(i) if self.masks else None
        height, width = image.shape[:2]
        decoded = Decoded(image, height, width, mask=mask)
        digest = digest_of(Sample(self.sample_ids[i], image, mask=mask), self.masks)
        return Fetched(digest, lambda _: decoded)

    def header(self, i: int) -> None:  # noqa: ARG002  the protocol's names
        return None  # a file does not tell what the function makes of it

    def stamp(self, i: int) -> str:  # noqa: ARG002  the protocol's names
        return ""  # the function may have changed, whatever its image did


def cache_in_memory(source: Source, *, max_bytes: int = MEMORY_BYTES) -> Source:
    """Read each image once, as long as memory for them lasts; the others are read each time.

    Worth it for images that are slow to get and read outside of training, which keeps what it reads
    by itself. An image whose file has changed is read again.

    Args:
        source: The samples.
        max_bytes: How much memory all pixels may take.

    Raises:
        DataError: If `max_bytes` is below 1.
    """
    if max_bytes < 1:
        msg = f"cache_in_memory: max_bytes: expected at least 1, got {max_bytes}"
        raise DataError(msg, slug="data/view-option")
    return _RememberedSource(source, max_bytes)


class _RememberedSource(ChangedSource):
    def __init__(self, source: Source, max_bytes: int) -> None:
        super().__init__(source)
        self._max_bytes = max_bytes
        self._forget()

    def _forget(self) -> None:
        self._known: dict[int, tuple[str, Fetched]] = {}
        self._left, self._told = self._max_bytes, False
        self._keeping = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the pixels."""
        own = ("_known", "_left", "_told", "_keeping")
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Begin with nothing."""
        vars(self).update(state)
        self._forget()

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:  # noqa: ARG002  all pixels are remembered
        return self.fetch(i).decode(None).image

    def mask(self, i: int) -> Image:
        found = self.fetch(i).decode(None).mask
        return super().mask(i) if found is None else found

    def fetch(self, i: int) -> Fetched:
        stamp = self._source.stamp(i)
        known = self._known.get(i)
        if known and known[0] == stamp:
            return known[1]
        fetched = self._source.fetch(i)

        def decode(_: tuple[int, int] | None) -> Decoded:
            decoded = fetched.decode(None)
            pixels = decoded.image[:]
            pixels.flags.writeable = False
            mask = decoded.mask
            whole = Decoded(pixels, decoded.height, decoded.width, mask=mask)
            num_bytes = pixels.nbytes + (0 if mask is None else mask.nbytes)
            self._keep(i, stamp, Fetched(fetched.digest, lambda _: whole), num_bytes)
            return whole

        return Fetched(fetched.digest, decode)

    def _keep(self, i: int, stamp: str, fetched: Fetched, num_bytes: int) -> None:
        # Whoever would have to wait keeps nothing: in a fork the holder may be gone for ever.
        if not self._keeping.acquire(blocking=False):
            return
        try:
            if i in self._known:  # the same pixels, or those of a file that has changed
                self._known[i] = (stamp, fetched)
            elif num_bytes <= self._left:
                self._known[i] = (stamp, fetched)
                self._left -= num_bytes
            elif not self._told:
                self._told = True
                text = "memory for %s bytes of pixels is full with %d of %d images: others are read"
                text += " each time"
                logger.warning(text, f"{self._max_bytes:,}", len(self._known), len(self))
        finally:
            self._keeping.release()
