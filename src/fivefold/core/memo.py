"""What was measured once is remembered: so the same command gives the same bytes."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import ResourceError, StateError
from fivefold.core.sealed import read_sealed, write_sealed

T = TypeVar("T")

logger = logging.getLogger(__name__)

_FORMAT = 1


@dataclass(frozen=True)
class Memo(Generic[T]):
    """A file for one answer to one question.

    Attributes:
        path: The file.
        about: The question: everything that decides the answer, JSON values.
        kind: A dataclass with the fields of the answer, and `about`.
    """

    path: Path
    about: Mapping[str, Any]
    kind: type[T]

    def recall(self) -> T | None:
        """Read the answer; None where none was kept, or where it is damaged, which is told."""
        if not self.path.exists():
            return None
        try:
            return read_sealed(self.path, self.kind, version=_FORMAT)
        except StateError as error:
            logger.warning("what a probe found is damaged, it is measured again: %s", error)
            return None

    def keep(self, answer: Mapping[str, Any]) -> bool:
        """Write the answer down; where that is refused it is told, and the result is False.

        Args:
            answer: The fields of `kind` but `about`.
        """
        try:
            write_sealed(self.path, {**answer, "about": self.about}, version=_FORMAT)
        except ResourceError as error:
            logger.warning("what a probe found is not remembered for the next run: %s", error)
            return False
        return True


def memo_of(home: CacheHome, name: str, about: Mapping[str, Any], kind: type[T]) -> Memo[T]:
    """Find the place of an answer in the cache.

    Args:
        home: The cache.
        name: What the answers to all such questions are called.
        about: The question.
        kind: What an answer is; see `Memo`.
    """
    text = json.dumps(about, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Memo(home.folder("probes") / f"{name}-{digest}.json", about, kind)
