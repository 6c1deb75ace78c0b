"""Files of maps: the probability of each class at each pixel, of many samples.

A file begins with eight bytes that say what it is. Then come the samples one by one, each
compressed by itself so that any of them is read alone: its map, and the true mask where that is
known. An index follows (arrays of NumPy without pickle), and the last bytes say where it lies and
what it hashes to.
"""

import hashlib
import io
import json
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from fivefold.core.damage import checked, way_out
from fivefold.core.durable import Streamed, resource_error
from fivefold.core.errors import DataError, StateError
from fivefold.core.masks import MaskKind
from fivefold.core.types import AnyArray, Floats, Head, Image, Indices

HALF = 127
"""The highest value of a map that stands for a probability of at most one half."""

_MAGIC = b"5fmaps\x01\n"
_END = struct.Struct("<QQ32s")  # where the index begins, its length, its SHA-256
_LEVEL = 3  # of zlib: a third of a millisecond for 320 x 320 pixels, and a tenth of their bytes
_ARRAYS = {"sizes": (2, np.int64), "lengths": (2, np.int64), "checks": (0, np.uint32)}


def to_map(probs: Floats) -> Image:
    """Turn probabilities, 0-1, into whole numbers 0-255; above one half are those above `HALF`."""
    found: Image = np.ceil(probs * np.float32(255) - np.float32(0.5)).astype(np.uint8)
    return found


@dataclass(frozen=True, eq=False)
class Packed:
    """One sample's map as it lies in a file; made in any thread.

    Attributes:
        size: Height and width in pixels.
        map: The map, compressed.
        truth: The true mask, compressed; empty where it is not known.
    """

    size: tuple[int, int]
    map: bytes
    truth: bytes

    @classmethod
    def of(cls, probs: Image, truth: Image | None = None) -> "Packed":
        """Compress a map [H, W, K] and the true mask [H, W, P], uint8 both."""
        return cls((probs.shape[0], probs.shape[1]), _deflated(probs), _deflated(truth))


class MapWriter:
    """Writes a file of maps sample by sample; it gets its name, whole, by `commit` alone.

    As a context it throws away what was not committed.

    Args:
        path: Where it will lie.
        head: What the planes of maps are.
        fold: The fold whose model predicts; -1 for several.
        stage: The stage whose weights predict.

    Raises:
        ResourceError: From every method, if the disk is full, read-only or failing.
    """

    def __init__(self, path: Path, head: Head, fold: int = -1, stage: int = -1) -> None:
        self._path, self._about = path, _About((head,), (), fold, stage)
        self._ids: list[str] = []
        self._entries = array("q")  # five numbers for each sample
        try:
            self._streamed = Streamed(path.parent)
            self._streamed.file.write(_MAGIC)
        except OSError as error:
            raise resource_error(path, error) from error

    def __enter__(self) -> "MapWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._streamed.discard()

    def add(self, sample_id: str, packed: Packed) -> None:
        """Write a sample."""
        check = zlib.crc32(packed.truth, zlib.crc32(packed.map))
        self._ids.append(sample_id)
        self._entries.extend((*packed.size, len(packed.map), len(packed.truth), check))
        try:
            self._streamed.file.write(packed.map)
            self._streamed.file.write(packed.truth)
        except OSError as error:
            raise resource_error(self._path, error) from error

    def commit(self) -> None:
        """Finish the file and give it its name.

        Raises:
            DataError: If a sample was written twice.
        """
        if len(set(self._ids)) != len(self._ids):
            msg = f"{self._path}: expected one map for each sample, got some twice"
            raise DataError(msg, slug="data/maps")
        index = self._index()
        try:
            end = _END.pack(self._streamed.file.tell(), len(index), hashlib.sha256(index).digest())
            self._streamed.file.write(index)
            self._streamed.file.write(end)
        except OSError as error:
            raise resource_error(self._path, error) from error
        self._streamed.commit(self._path)

    def _index(self) -> bytes:
        about = asdict(self._about) | {"ids": self._ids}
        entries = np.array(self._entries, dtype=np.int64).reshape(-1, 5)
        text = np.frombuffer(json.dumps(about).encode("utf-8", "surrogatepass"), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            about=text,
            sizes=entries[:, :2],
            lengths=entries[:, 2:4],
            checks=entries[:, 4].astype(np.uint32),
        )
        return buffer.getvalue()


class Maps:
    """A file of maps, read sample by sample; nothing of it stays in memory but its index.

    It may be read from several threads, and travels to another process as a path.

    Args:
        path: What a `MapWriter` has written.

    Raises:
        StateError: If it is missing or damaged; `read` and `truth` too.

    Attributes:
        head: What the planes of maps are.
        ids: Of the samples, in the file's order.
        fold: The fold whose model predicted; -1 for several.
        stage: The stage whose weights predicted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        about, self._sizes, self._lengths, self._checks = _read_index(path)
        self.head, self.ids = about.heads[0], about.ids
        self.fold, self.stage = about.fold, about.stage
        ends = self._lengths.sum(axis=1).cumsum()
        self._starts = len(_MAGIC) + ends - self._lengths.sum(axis=1)

    def __reduce__(self) -> tuple[Any, ...]:
        return Maps, (self.path,)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, sample_id: str) -> bool:
        return sample_id in self._rows

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {sample_id: row for row, sample_id in enumerate(self.ids)}

    @property
    def kind(self) -> MaskKind:
        """How the true masks are written."""
        return MaskKind.of_head(self.head)

    def read(self, sample_id: str) -> Image:
        """Read a sample's probabilities times 255, uint8 [H, W, K]; see `to_map`."""
        return self._read(sample_id)[0]

    def truth(self, sample_id: str) -> Image | None:
        """Read a sample's true mask, uint8 [H, W, P]; None where it is not known."""
        return self._read(sample_id)[1]

    def both(self, sample_id: str) -> tuple[Image, Image | None]:
        """Read a sample's map and its true mask at once; see `read` and `truth`."""
        return self._read(sample_id)

    def pairs(self) -> Iterator[tuple[str, Image, Image | None]]:
        """Read all samples in the file's order: id, map, truth."""
        for sample_id in self.ids:
            yield (sample_id, *self._read(sample_id))

    def _read(self, sample_id: str) -> tuple[Image, Image | None]:
        row = self._rows[sample_id]
        (of_map, of_truth), (height, width) = self._lengths[row].tolist(), self._sizes[row].tolist()
        try:
            with self.path.open("rb") as file:
                file.seek(int(self._starts[row]))
                data = file.read(of_map + of_truth)
            if len(data) != of_map + of_truth or zlib.crc32(data) != int(self._checks[row]):
                raise _damaged(self.path, f"other bytes for {sample_id!r}")
            probs = _inflated(data[:of_map], (height, width, self.head.num_classes))
            if not of_truth:
                return probs, None
            return probs, _inflated(data[of_map:], (height, width, self.kind.planes))
        except (OSError, ValueError, zlib.error) as error:
            raise _damaged(self.path, str(error)) from error


@dataclass(frozen=True)
class _About:
    """What an index says about its arrays."""

    heads: Annotated[tuple[Head, ...], Field(min_length=1, max_length=1)]
    ids: tuple[str, ...]
    fold: Annotated[int, Field(ge=-1)]
    stage: Annotated[int, Field(ge=-1)]


def _read_index(path: Path) -> tuple[_About, Indices, Indices, AnyArray]:
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise _damaged(path, "another kind of file")
            size = file.seek(0, io.SEEK_END)
            file.seek(max(size - _END.size, 0))
            start, length, digest = _END.unpack(file.read(_END.size))
            if start + length + _END.size != size:
                raise _damaged(path, "a part of one")
            file.seek(start)
            data = file.read(length)
    except (OSError, struct.error) as error:
        raise _damaged(path, str(error)) from error
    if hashlib.sha256(data).digest() != digest:
        raise _damaged(path, "an index of other bytes")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            text = file["about"].tobytes().decode("utf-8", "surrogatepass")
            about = checked(path, _About, json.loads(text), way_out(path))
            arrays = [_array(file, name, len(about.ids)) for name in _ARRAYS]
    except (StateError, MemoryError):
        raise
    except Exception as error:  # damage makes zipfile and NumPy raise nearly anything
        raise _damaged(path, str(error)) from error
    sizes, lengths, checks = arrays
    if int(lengths.sum()) + len(_MAGIC) != start or len(set(about.ids)) != len(about.ids):
        raise _damaged(path, "an index of another file")
    return about, sizes, lengths, checks


def _array(file: Any, name: str, count: int) -> AnyArray:
    found: AnyArray = file[name]
    columns, kind = _ARRAYS[name]
    expected = (count, columns) if columns else (count,)
    if found.shape != expected or found.dtype != kind or (found < 0).any():
        msg = f"{name} of shape {found.shape}"
        raise ValueError(msg)
    return found


def _deflated(plane: Image | None) -> bytes:
    return b"" if plane is None else zlib.compress(np.ascontiguousarray(plane).data, _LEVEL)


def _inflated(data: bytes, shape: Sequence[int]) -> Image:
    wanted = int(np.prod(shape, dtype=np.int64))
    found = zlib.decompressobj().decompress(data, wanted + 1)  # no more, whatever is in it
    if len(found) != wanted:
        msg = f"{len(found)} bytes for a map of shape {tuple(shape)}"
        raise ValueError(msg)
    return np.frombuffer(found, dtype=np.uint8).reshape(shape)


def _damaged(path: Path, found: str) -> StateError:
    msg = f"{path}: expected a file of maps, got {found}"
    return StateError(msg, hint=way_out(path), slug="state/damaged")
