"""The pixels that a run has kept in the cache, for samples that are no files."""

import logging
import re
from collections.abc import Mapping
from threading import Lock
from typing import Any

from fivefold.core.cache_home import cache_home
from fivefold.core.errors import FivefoldError
from fivefold.core.masks import MaskKind
from fivefold.core.types import Image
from fivefold.data.pixel_store import PixelStore
from fivefold.data.preprocess import Preprocess

logger = logging.getLogger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")


class KeptPixels:
    """Finds pixels by the digest of what they were made from.

    Args:
        config: The run's, as its manifest has recorded it, in any state.
        masks: How the masks are written that lie beside the images; None for none.
    """

    def __init__(self, config: Mapping[str, Any], masks: MaskKind | None = None) -> None:
        self._config, self._masks = config, masks
        self._opening = Lock()  # several threads read
        self._store: PixelStore | None = None
        self._opened = False
        self._preprocess: Preprocess | None = None

    def beside(self, masks: MaskKind) -> "KeptPixels":
        """Find the pixels of the same run that lie beside masks."""
        return KeptPixels(self._config, masks)

    def read(self, digest: object) -> Image | None:
        """Read pixels [H, W, C]; None where there are none."""
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            return None
        with self._opening:
            if not self._opened:
                self._store, self._opened = self._open(), True
        row = self._store.rows([digest]).read(0) if self._store else None
        return None if row is None or self._preprocess is None else self._preprocess.image_in(row)

    def _open(self) -> PixelStore | None:
        """Open the store that the run's images went to, if it is there."""
        shape = self._config.get("shape")
        if not isinstance(shape, list) or [type(n) for n in shape] != [int, int, int]:
            return None
        height, width, channels = shape
        # It is only looked up, and nothing is resized.
        preprocess = Preprocess((height, width, channels), lambda image: image, self._masks)
        self._preprocess = preprocess
        setting = self._config.get("cache", True)
        try:
            home = cache_home(setting if isinstance(setting, bool | int | float) else True)
            if home is None or not PixelStore.place(home, preprocess).is_dir():
                return None
            return PixelStore(home, preprocess)
        except (FivefoldError, OSError) as error:
            logger.warning("the pixel cache could not be read, so pictures are missing: %s", error)
            return None
