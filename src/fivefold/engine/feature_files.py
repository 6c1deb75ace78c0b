"""Features on the disk, outside of every experiment: the next run with the same backbone has them.

Each array is one file, named after all that decides its bytes.
"""

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core import durable
from fivefold.core.cache_home import CacheHome
from fivefold.core.cache_room import make_room, mark_used, spare_bytes
from fivefold.core.errors import ResourceError, StateError
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.core.types import Floats

logger = logging.getLogger(__name__)

_FORMAT = 1
_MB = 1_000_000


@dataclass(frozen=True)
class _Entry:
    sha256: str


@dataclass(frozen=True)
class FeatureFiles:
    """Arrays by what they were computed of.

    Attributes:
        home: The cache; None keeps and finds nothing.
        circumstances: What else decides the bytes: precision, device, versions.
    """

    home: CacheHome | None
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    _told: list[str] = field(default_factory=list, init=False)

    def find(self, key: Mapping[str, Any]) -> Floats | None:
        """Read an array [M, D], or None where there is none that is whole."""
        if self.home is None:
            return None
        path = self._path(self.home, key)
        try:
            entry = read_sealed(path, _Entry, version=_FORMAT)
            data = durable.read_verified(path.with_suffix(".npy"), entry.sha256)
        except StateError as error:
            if path.exists():
                logger.warning("features are computed again: %s", error)
            return None
        mark_used([path, path.with_suffix(".npy")])
        values: Floats = np.load(io.BytesIO(data), allow_pickle=False)
        return values

    def keep(self, key: Mapping[str, Any], values: Floats) -> None:
        """Write an array for the next run; where that cannot be done, it is said."""
        if self.home is None:
            return
        path, data = self._path(self.home, key), io.BytesIO()
        np.save(data, values, allow_pickle=False)
        try:
            if not make_room(self.home, data.getbuffer().nbytes):
                self._tell(
                    f"they need {data.getbuffer().nbytes / _MB:,.1f} MB; {self.home.root} may take "
                    f"{self.home.num_bytes / _MB:,.1f} MB (`cache: N` in GB), and its disk has "
                    f"{max(0, spare_bytes(self.home.root)) / _MB:,.1f} MB to spare"
                )
                return
            sha256 = durable.write_bytes(path.with_suffix(".npy"), data.getbuffer())
            write_sealed(path, {"sha256": sha256}, version=_FORMAT)
        except (ResourceError, OSError) as error:
            self._tell(str(error))

    def _tell(self, reason: str) -> None:
        """Say once in a run why nothing is kept: what holds for one file holds for the next."""
        if not self._told:
            logger.warning("features are not kept for the next run: %s", reason)
        self._told.append(reason)

    def _path(self, home: CacheHome, key: Mapping[str, Any]) -> Path:
        text = json.dumps({**key, "with": self.circumstances}, sort_keys=True)
        name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return home.folder("features") / f"{name}.json"
