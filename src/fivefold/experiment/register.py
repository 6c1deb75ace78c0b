"""The register of finished stages: for each key, where such a stage lies.

It is in the cache and holds no weights: experiments keep theirs, and are only read. Whatever is
missing or changed there is as if it had never been.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import BaseModel, ConfigDict, Field

from fivefold.config import ResolvedStage
from fivefold.core import durable
from fivefold.core.cache_home import CacheHome
from fivefold.core.errors import ResourceError, StateError
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.sealed import read_sealed, write_sealed
from fivefold.engine.callbacks import StageInfo, written_files
from fivefold.engine.checkpoint import Bundle, load_bundle

logger = logging.getLogger(__name__)

_FORMAT = 1

_Count = Annotated[int, Field(ge=0)]
_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    """One line of the register. The folder is percent-encoded: a path need not be text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    folder: str
    fold: _Count
    stage: _Count
    files: dict[str, _Sha256]


@dataclass(frozen=True)
class Found:
    """A finished stage of another experiment, verified.

    Attributes:
        folder: The experiment.
        fold: 0-based.
        stage: 0-based.
        files: Path below the experiment's folder, with `/`, to SHA-256.
        bundle: What describes its weights.
    """

    folder: RunFolder
    fold: int
    stage: int
    files: Mapping[str, str]
    bundle: Bundle


@dataclass(eq=False)
class Register:
    """The register as one run uses it: what is wrong with its folder is told once.

    Attributes:
        home: The cache that it is in.
    """

    home: CacheHome
    _told: set[str] = field(default_factory=set, init=False)

    def find(self, key: str) -> Found | None:
        """Look for a finished stage whose files are all there and unchanged.

        A line of the register that leads nowhere any more is removed.

        Args:
            key: Of `stage_key`.
        """
        path = self._path(key)
        try:
            if not path.exists():
                return None
            return _verified(read_sealed(path, _Entry, version=_FORMAT))
        except (StateError, OSError, ValueError) as error:
            # A miss, no fault: whoever asked trains the stage, as without a register.
            logger.debug("%s: leads to no finished stage any more: %s", path, error)
        try:
            durable.remove(path)
        except ResourceError as error:
            self._tell(error)
        return None

    def add(self, key: str, folder: RunFolder, fold: int, stage: ResolvedStage) -> None:
        """Make a stage that was trained here known to other experiments.

        Args:
            key: Of `stage_key`, the same in all of its epochs.
            folder: The experiment.
            fold: 0-based.
            stage: What was done.
        """
        try:
            entry = _entry(folder, fold, stage)
            write_sealed(self._path(key), entry.model_dump(), version=_FORMAT)
        except (OSError, ValueError, ResourceError) as error:
            self._tell(error)

    def _path(self, key: str) -> Path:
        return self.home.folder("stages") / f"{key}.json"

    def _tell(self, error: Exception) -> None:
        reason = _reason(error)
        if reason not in self._told:
            self._told.add(reason)
            logger.warning(
                "%s: finished stages cannot be noted there for later runs, which train them again: "
                "%s",
                self.home.folder("stages"),
                reason,
            )


def _entry(folder: RunFolder, fold: int, stage: ResolvedStage) -> _Entry:
    files = {name_of(folder, p): durable.file_sha256(p) for p in _files(folder, fold, stage)}
    root = quote_from_bytes(os.fsencode(folder.root.resolve()))
    return _Entry(folder=root, fold=fold, stage=stage.index, files=files)


def name_of(folder: RunFolder, path: Path) -> str:
    """Name a file of an experiment by its path below the folder, with `/`."""
    return path.relative_to(folder.root).as_posix()


def _verified(entry: _Entry) -> Found:
    root = Path(os.fsdecode(unquote_to_bytes(entry.folder)))
    folder = RunFolder(root, root / CONFIG_NAME)
    needed = {name_of(folder, path) for path in _results(folder, entry.fold, entry.stage)}
    if not needed <= entry.files.keys() or not all(map(_is_inside, entry.files)):
        msg = f"expected the files {sorted(needed)} of a stage, got {sorted(entry.files)}"
        raise ValueError(msg)
    for name, sha256 in entry.files.items():
        durable.read_verified(root / name, sha256)
    bundle = load_bundle(folder.bundle(entry.fold, entry.stage))
    if (bundle.fold, bundle.stage) != (entry.fold, entry.stage):
        msg = f"expected fold {entry.fold}, stage {entry.stage}, got {bundle.fold}, {bundle.stage}"
        raise ValueError(msg)
    if bundle.encoder_sha256 not in ("", *entry.files.values()):
        msg = "expected the backbone that the head was trained on, got none"
        raise ValueError(msg)
    return Found(folder, entry.fold, entry.stage, entry.files, bundle)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _results(folder: RunFolder, fold: int, stage: int) -> tuple[Path, ...]:
    examples = folder.examples(fold, stage) / "validation.png"
    return (*folder.results(fold, stage), folder.metrics(fold, stage), examples)


def _files(folder: RunFolder, fold: int, stage: ResolvedStage) -> Iterator[Path]:
    yield from _results(folder, fold, stage.index)
    encoder_sha256 = load_bundle(folder.bundle(fold, stage.index)).encoder_sha256
    if encoder_sha256:
        yield folder.encoder(encoder_sha256)
    yield from sorted(folder.examples(fold, stage.index).glob("epoch-*.png"))
    info = StageInfo(fold, stage.index, folder.root, 0)
    yield from written_files(stage.callbacks, info)


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    return cause.strerror or str(cause) if isinstance(cause, OSError) else str(cause)
