"""Features on the disk, outside of every experiment: the next run with the same backbone has them.

Each array is one file, named after all that decides its bytes.
"""

import hashlib
import io
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core import durable
from fivefold.core.cache_home import CacheHome, blocked_by
from fivefold.core.cache_room import make_room, mark_used, spare_bytes
from fivefold.core.errors import ResourceError, StateError
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.core.types import Floats

logger = logging.getLogger(__name__)

MEMORY_BYTES = 1 << 30
"""What all features may take in memory where the disk does not keep them."""

_FORMAT = 1
_MB = 1_000_000


@dataclass(frozen=True)
class _Entry:
    sha256: str


@dataclass(frozen=True)
class FeatureFiles:
    """Arrays by what they were computed of; in memory where the disk does not keep them.

    Attributes:
        home: The cache; None for none.
        circumstances: What else decides the bytes: precision, device, versions.
    """

    home: CacheHome | None
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    _told: list[str] = field(default_factory=list, init=False)
    _used: set[Path] = field(default_factory=set, init=False)
    _memory: dict[str, Floats] = field(default_factory=dict, init=False)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without arrays."""
        return {**vars(self), "_memory": {}}

    def find(self, key: Mapping[str, Any]) -> Floats | None:
        """Read an array [M, D], not to be written; None where there is none that is whole."""
        name = self._name(key)
        if self.home is None or name in self._memory:
            return self._memory.get(name)
        path = _path(self.home, name)
        try:
            entry = read_sealed(path, _Entry, version=_FORMAT)
            data = durable.read_verified(path.with_suffix(".npy"), entry.sha256)
        except StateError as error:
            if path.exists():
                logger.warning("features are computed again: %s", error)
            return None
        self._use(path)
        values: Floats = np.load(io.BytesIO(data), allow_pickle=False)
        return values

    def keep(self, key: Mapping[str, Any], values: Floats, in_use: Collection[Path] = ()) -> None:
        """Write an array for the next run; where that cannot be done, it is said.

        Args:
            key: What it was computed of.
            values: The array [M, D].
            in_use: Files of the cache that must not make room for it, beside those used here.
        """
        name = self._name(key)
        if self.home is None or not self._written(self.home, name, values, in_use):
            self._remember(name, values)

    def forget(self) -> None:
        """Let go of the arrays in memory: no stage to come has use for them."""
        self._memory.clear()

    def _written(
        self, home: CacheHome, name: str, values: Floats, in_use: Collection[Path]
    ) -> bool:
        path, data = _path(home, name), io.BytesIO()
        np.save(data, values, allow_pickle=False)
        try:
            if not make_room(home, data.getbuffer().nbytes, {*self._used, *in_use}):
                self._tell(
                    f"they need {data.getbuffer().nbytes / _MB:,.1f} MB; {home.root} may take "
                    f"{home.num_bytes / _MB:,.1f} MB (`cache: N` in GB), and its disk has "
                    f"{max(0, spare_bytes(home.root)) / _MB:,.1f} MB to spare"
                )
                return False
            sha256 = durable.write_bytes(path.with_suffix(".npy"), data.getbuffer())
            write_sealed(path, {"sha256": sha256}, version=_FORMAT)
        except (ResourceError, OSError) as error:
            self._tell(blocked_by(home) or str(error))
            return False
        self._use(path)
        return True

    def _remember(self, name: str, values: Floats) -> None:
        """Keep an array for the stages to come; the oldest go where it gets too much."""
        if values.nbytes > MEMORY_BYTES:
            return
        while sum(known.nbytes for known in self._memory.values()) + values.nbytes > MEMORY_BYTES:
            self._memory.pop(next(iter(self._memory)))
        self._memory[name] = values

    def _use(self, path: Path) -> None:
        self._used.add(path)
        mark_used([path, path.with_suffix(".npy")])

    def _tell(self, reason: str) -> None:
        """Say once in a run why nothing is kept: what holds for one file holds for the next."""
        if not self._told:
            logger.warning("features are not kept for the next run: %s", reason)
        self._told.append(reason)

    def _name(self, key: Mapping[str, Any]) -> str:
        text = json.dumps({**key, "with": self.circumstances}, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _path(home: CacheHome, name: str) -> Path:
    return home.folder("features") / f"{name}.json"
