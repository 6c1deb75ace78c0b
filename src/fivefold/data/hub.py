"""Data sets of the Hugging Face hub: from its servers, from the disk, or streamed."""

import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fivefold.core.errors import DataError, FivefoldError, did_you_mean
from fivefold.core.optional import require
from fivefold.core.types import Floats, Image
from fivefold.data.decode import DEFAULT_LIMITS, Decoded, decode, decode_sized, read_bytes
from fivefold.data.files import is_inside
from fivefold.data.forked import Trust
from fivefold.data.hub_columns import Truth, image_column, label_column, truth_of
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.packed import PackedTexts
from fivefold.data.source import Fetched, Sample, Source, sources

logger = logging.getLogger(__name__)

_BATCH = 4096
_SAVED = ("dataset_info.json", "dataset_dict.json", "state.json")
_NEAR = 64  # rows ahead that are passed by rather than that a stream begins anew
_PATIENCE = 4  # times that it begins in the middle before anything is said
_SERVERS = ("https", "http", "hf", "s3", "gs", "gcs", "abfs", "az")  # of addresses
_ARCHIVES = ("zip", "tar", "gzip", "bz2", "xz", "zstd", "lz4")  # which may lie there
_STREAMED = "a stream is read in its order"


@sources.add(name="hub")
class HubSource(Source):
    """Rows of a data set that the package `datasets` opens.

    Ids are the split and the number of the row: `train/17`.

    Args:
        name: A folder that `save_to_disk` has written or that holds images or tables, or else a
            name on the hub such as `cifar10` or `user/flowers`.
        split: Which part; by default the only one, or `train`.
        image_column: The column of images; by default the only one.
        label_column: The column of labels; by default the only one of classes, or `label`.
        revision: A branch, tag or commit on the hub.
        streamed: Whether rows are read in their order and never kept as a whole; only the cache of
            pixels then gives access in any order.

    Raises:
        MissingExtraError: If `datasets` is not installed.
        DataError: If there is no such data set, part or column.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        split: str | None = None,
        image_column: str | None = None,
        label_column: str | None = None,
        revision: str | None = None,
        streamed: bool = False,
    ) -> None:
        datasets = require("datasets", extra="hub")
        self._where = f"hub: {name}"
        with _quiet(datasets), _worded(self._where):
            rows, part = _opened(datasets, name, split, revision, streamed=streamed)
        self._fill(datasets, rows, part, image_column, label_column)
        # What the data set of a stranger names may not be any file of this machine.
        home = str(datasets.config.HF_CACHE_HOME)
        self._inside = None if Path(name).exists() else os.path.realpath(Path(home).expanduser())

    def _fill(
        self, datasets: ModuleType, rows: Any, part: str, image: str | None, label: str | None
    ) -> None:
        features = rows.features or {}
        self._image = image_column(features, image, self._where)
        column = label_column(features, label, self._where)
        with _worded(self._where):
            truth = _truth(rows, column or self._image, features.get(column))
            images = rows.select_columns([self._image])
            undecoded = images.cast_column(self._image, datasets.Image(decode=False))
        self._rows = undecoded if hasattr(undecoded, "__len__") else _Stream(undecoded, self._where)
        if isinstance(self._rows, _Stream):
            self.one_at_a_time, self._trust = True, Trust(against=_STREAMED)
        self._positions = truth.kept
        self.labels, self._targets = truth.labels, truth.targets
        self.sample_ids = PackedTexts(f"{part}/{i}" for i in truth.kept.tolist())
        gone = np.setdiff1d(np.arange(truth.count), truth.kept).tolist()
        self.excluded = tuple((f"{part}/{i}", "no-label") for i in gone)
        if truth.unused:
            shown = ", ".join(map(repr, truth.unused[:5])) + (", …" if truth.unused[5:] else "")
            self.warnings = (f"no image has the class {shown}: it is no class",)

    def sample(self, i: int) -> Sample:
        """Read and decode a row."""
        return Sample(self.sample_ids[i], self.image(i), self.target(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read and decode a row, a large JPEG smaller."""
        return decode(self._read(i), draft_size=at_least)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C]."""
        return None if self._targets is None else self._targets[i]

    def fetch(self, i: int) -> Fetched:
        """Read a row once, for the SHA-256 of its bytes and for its pixels."""
        data = self._read(i)

        def decode_it(at_least: tuple[int, int] | None) -> Decoded:
            return decode_sized(data, draft_size=at_least)

        return Fetched(hashlib.sha256(data).hexdigest(), decode_it)

    def name_of(self, i: int) -> str:
        """Name a sample for a message: its id, and the data set."""
        return f"{self.sample_ids[i]} ({self._where})"

    def _read(self, i: int) -> bytes:
        try:
            value: Mapping[str, Any] | None = self._rows[int(self._positions[i])][self._image]
        except Exception as error:  # whatever a damaged file makes of Arrow, or a server says
            detail = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise ImageProblem(Reason.UNREADABLE, detail) from error
        if value is None:
            raise ImageProblem(Reason.EMPTY, "there is no image in this row")
        data: bytes | None = value["bytes"]
        return self._of_file(value["path"]) if data is None else data

    def _of_file(self, path: str) -> bytes:
        if "://" in path:
            self._refuse_local(path)
            with require("fsspec", extra="hub").open(path, "rb") as file:
                content: bytes = file.read(DEFAULT_LIMITS.max_bytes + 1)
            return content
        if self._inside is not None and not is_inside(Path(path), self._inside):
            raise _own_file(path)
        return read_bytes(Path(path))

    def _refuse_local(self, path: str) -> None:
        """Make sure that an address, such as of a file in an archive, leads to a server.

        Raises:
            ImageProblem: If it leads to a file of this machine that is not the data set's.
        """
        *outer, last = path.split("::")
        scheme, sign, rest = last.partition("://")
        known = all(link.partition("://")[0] in _ARCHIVES for link in outer)
        if self._inside is None or (known and sign and scheme in _SERVERS):
            return
        if not known or not is_inside(Path(rest if sign else scheme), self._inside):
            raise _own_file(path)


def _own_file(path: str) -> ImageProblem:
    return ImageProblem(Reason.UNREADABLE, f"the data set names a file of yours: {path}")


class _Stream:
    """Rows of a stream by their numbers: quick in their order, from the beginning for others.

    Args:
        rows: The stream.
        where: For messages.
    """

    def __init__(self, rows: Any, where: str) -> None:
        self._source, self._where = rows, where
        self._restarts = 0
        self._restart(0)
        self._turn = threading.Lock()

    def _restart(self, i: int) -> None:
        self._next = i
        self._rows = iter(self._source.skip(i) if i else self._source)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process as it was at the beginning."""
        return {"_source": self._source, "_where": self._where}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Begin anew."""
        self.__init__(state["_source"], state["_where"])  # type: ignore[misc]

    def __getitem__(self, i: int) -> Mapping[str, Any]:
        with self._turn:
            if not self._next <= i < self._next + _NEAR:
                self._restart(i)
                self._count(i)
            while self._next < i:
                self._take()
            return self._take()

    def _take(self) -> Mapping[str, Any]:
        self._next += 1
        row: Mapping[str, Any] = next(self._rows)
        return row

    def _count(self, i: int) -> None:
        """Say once that rows are read in no order: a pass through all of them is none."""
        self._restarts += bool(i)
        if self._restarts == _PATIENCE:
            logger.warning(
                "%s: rows of a stream are read in no order, each from its beginning, which is "
                "slow: give `cache` room for all decoded images, or leave out `streamed`",
                self._where,
            )


def _opened(
    datasets: ModuleType,
    name: str | Path,
    split: str | None,
    revision: str | None,
    *,
    streamed: bool,
) -> tuple[Any, str]:
    """Open a part of a data set, and tell what it is called."""
    path = Path(name)
    if any((path / file).exists() for file in _SAVED):
        found = datasets.load_from_disk(str(path))
    elif path.exists():
        found = datasets.load_dataset(str(path.absolute()), streaming=streamed)
    else:
        part = split or "train"
        rows = datasets.load_dataset(str(name), split=part, revision=revision, streaming=streamed)
        return rows, part
    if not isinstance(found, dict):
        return found, split or str(found.split or "data")
    part = split or ("train" if "train" in found else next(iter(found)) if len(found) == 1 else "")
    if part not in found:
        msg = f"hub: {name}: split: expected one of its parts, got {split!r}"
        hint = did_you_mean(part, list(found), f"there are {', '.join(map(repr, found))}")
        raise DataError(msg, hint=hint, slug="data/hub")
    return found[part], part


def _truth(rows: Any, column: str, feature: Any) -> Truth:
    """Read the labels; without a feature, only count the rows."""
    if feature is None and hasattr(rows, "__len__"):
        return Truth(np.arange(len(rows)), len(rows))
    plain = rows.select_columns([column])
    if feature is None:
        count = sum(1 for _ in plain)
        return Truth(np.arange(count), count)
    return truth_of(feature, (batch[column] for batch in plain.iter(batch_size=_BATCH)))


@contextmanager
def _quiet(datasets: ModuleType) -> Iterator[None]:
    """Keep bars of the package's own off the terminal."""
    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


@contextmanager
def _worded(where: str) -> Iterator[None]:
    """Word what the package raises: it has dozens of errors, of many other packages."""
    try:
        yield
    except (FivefoldError, MemoryError):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
        msg = f"{where}: expected a data set that `datasets` can open, got {text}"
        hint = "name a folder, or a data set on https://huggingface.co/datasets that you may read"
        raise DataError(msg, hint=hint, slug="data/hub") from error
