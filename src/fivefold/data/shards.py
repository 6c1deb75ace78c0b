"""Shards of pixels: one array file, and an index that is written last and vouches for it.

The array is a `.npy` of uint8 [rows, H, W, C], or of bytes of image and mask. The index has, for
each row, the SHA-256 of what it was decoded from, the CRC-32 of its pixels, and the height, the
width and the look of the whole image, and of its mask the pixels of each class. An array without a
whole index does not count.
"""

import hashlib
import io
import math
import os
import struct
import threading
import weakref
import zlib
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from fivefold.core.durable import Streamed, write_bytes
from fivefold.core.types import Image
from fivefold.data.looks import look_of_numbers, look_of_text

_ENTRY = [
    ("digest", "<u8", (4,)),
    ("crc", "<u4", ()),
    ("height", "<u4", ()),
    ("width", "<u4", ()),
    ("look", "<i2", (4,)),
]
ROW = np.dtype(_ENTRY)
"""What the index says of a row, 52 bytes; 8 more for each class of masks. A digest of zeros stands
for a row that was dropped."""

_MAGIC = b"fivefold pixels 2\n"
_HASH = 32


class Known(NamedTuple):
    """What is known of the whole image that a row was made of.

    Attributes:
        height: In pixels.
        width: In pixels.
        look: What its file is and its pixels are, as `data.looks` writes it; nothing where nobody
            looked.
        counts: How many pixels of its mask show each class [classes]; none without masks.
    """

    height: int
    width: int
    look: str = ""
    counts: tuple[int, ...] = ()


class RowForm(NamedTuple):
    """What every row of a shard is like.

    Attributes:
        shape: Of its pixels.
        classes: How many classes its mask has; 0 without masks.
    """

    shape: tuple[int, int, int]
    classes: int = 0

    @property
    def entry(self) -> np.dtype[Any]:
        """What the index says of a row."""
        counts = ("counts", "<i8", (self.classes,))
        return np.dtype([*_ENTRY, counts]) if self.classes else ROW


class ShardError(Exception):
    """A shard is damaged; it says what was found."""


class Shard:
    """Rows that were written once and are only read, by any number of threads and processes.

    Args:
        index_path: The index; the array lies beside it.
        form: Of every row.

    Raises:
        FileNotFoundError: If it has gone.
        ShardError: If the index or the size of the array is not what was written.
    """

    def __init__(self, index_path: Path, form: RowForm) -> None:
        self.index_path = index_path
        self.form = form
        self.array_path = index_path.with_suffix(".npy")
        self.rows = _read_index(index_path, form.entry)
        self._start, self._pixels = _mapped(self.array_path, (len(self.rows), *form.shape))
        self._known = np.zeros(len(self.rows), dtype=bool)
        self._file: int | None = None  # opened at the first read: many shards are never read
        self._turn = threading.Lock()

    def read(self, k: int) -> Image | None:
        """Read a row's pixels [shape], not to be written; None if they are not what was written.

        Their checksum is compared at the first read in this process.
        """
        try:
            pixels = self._read(k)
        except OSError:  # a failing disk, or a server that has lost the file
            return None
        if pixels is not None and not self._known[k]:
            if zlib.crc32(pixels.data) != self.rows["crc"][k]:
                return None
            self._known[k] = True
        return pixels

    def known(self, k: int) -> Known:
        """Tell what is known of the whole image of a row."""
        row = self.rows[k]
        look = look_of_numbers(*row["look"].tolist())
        counts = row["counts"].tolist() if self.form.classes else ()
        return Known(int(row["height"]), int(row["width"]), str(look), tuple(counts))

    def drop(self, k: int) -> None:
        """Take a damaged row out of the index, so that the next run decodes its image again.

        Raises:
            ResourceError: If the index cannot be written.
        """
        if self._is_cut:  # the next run finds that out, and removes all of it
            return
        with self._turn:
            self.rows = self.rows.copy()
            self.rows["digest"][k] = 0
            _write_index(self.index_path, self.rows.tobytes())

    @property
    def _is_cut(self) -> bool:
        try:
            return self.array_path.stat().st_size < self._start + self._pixels.nbytes
        except OSError:
            return True

    def _read(self, k: int) -> Image | None:
        """Read a row by a call: the kernel kills who looks at a map of a file that was cut."""
        file = _descriptor(self) if self._file is None else self._file
        self._file = file  # two threads may both open it, which costs nothing but a descriptor
        if file < 0:
            mapped: Image = self._pixels[k]
            return mapped
        num_bytes = math.prod(self.form.shape)
        data = os.pread(file, num_bytes, self._start + k * num_bytes)
        if len(data) < num_bytes:
            return None
        return np.frombuffer(data, np.uint8).reshape(self.form.shape)


def _descriptor(shard: Shard) -> int:
    """Open a shard's array for as long as the shard is there; -1 where it can only be mapped."""
    if not hasattr(os, "pread"):  # Windows, which lets nobody cut a file that is mapped
        return -1
    try:
        descriptor = os.open(shard.array_path, os.O_RDONLY)
    except OSError:  # it made room for others, and is there as long as it is mapped
        return -1
    weakref.finalize(shard, os.close, descriptor)
    return descriptor


class ShardWriter(Streamed):
    """Writes the rows of a new shard, one after another.

    All but `finish` refuse with `OSError`.

    Args:
        folder: Where the shard will lie.
        form: Of every row.
    """

    def __init__(self, folder: Path, form: RowForm) -> None:
        super().__init__(folder)
        self._form = form
        self._folder = folder
        self._rows = bytearray()
        _write_header(self.file, (0, *form.shape))

    def __len__(self) -> int:
        return len(self._rows) // self._form.entry.itemsize

    def add(self, digest: bytes, pixels: Image, known: Known) -> None:
        """Write a row.

        Args:
            digest: SHA-256 of the content, 32 bytes.
            pixels: uint8 [shape].
            known: What is known of the whole image.

        Raises:
            ValueError: If it does not count the pixels of each class of the masks.
        """
        if len(known.counts) != self._form.classes:
            msg = f"counts: expected {self._form.classes}, got {len(known.counts)}"
            raise ValueError(msg)
        look = look_of_text(known.look).numbers
        data = np.ascontiguousarray(pixels).data
        self.file.write(data)
        size = known.height, known.width
        self._rows += struct.pack("<32sIII4h", digest, zlib.crc32(data), *size, *look)
        self._rows += np.asarray(known.counts, dtype="<i8").tobytes()

    def finish(self) -> Path:
        """Name the shard after what it holds and make it count.

        Returns:
            Its index.

        Raises:
            OSError: If the disk is full, read-only or failing.
            ResourceError: Likewise.
        """
        path = self._folder / f"{hashlib.sha256(self._rows).hexdigest()[:32]}.index"
        self.file.seek(0)
        _write_header(self.file, (len(self), *self._form.shape))
        self.commit(path.with_suffix(".npy"))
        _write_index(path, self._rows)
        return path


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write a header that is as long for any number of rows; NumPy leaves room for that."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _header_bytes(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    _write_header(file, shape)
    return file.getvalue()


def _mapped(path: Path, shape: tuple[int, ...]) -> tuple[int, Image]:
    """Check an array's header and size; gives where its pixels begin, and a view of them."""
    header = _header_bytes(shape)
    with path.open("rb") as file:
        found, size = file.read(len(header)), path.stat().st_size
    expected = len(header) + int(np.prod(shape))
    if found != header or size != expected:
        msg = f"{path}: expected {expected:,} bytes with the header of {shape}, got {size:,}"
        raise ShardError(msg)
    # A plain view: slices of a memmap object cost several times as much.
    return len(header), np.asarray(np.memmap(path, np.uint8, "r", offset=len(header), shape=shape))


def _write_index(path: Path, body: bytes | bytearray) -> None:
    write_bytes(path, _MAGIC + hashlib.sha256(body).digest() + body)


def _read_index(path: Path, entry: np.dtype[Any]) -> npt.NDArray[Any]:
    data = path.read_bytes()
    body = data[len(_MAGIC) + _HASH :]
    expected = _MAGIC + hashlib.sha256(body).digest()
    if not data.startswith(expected) or not body or len(body) % entry.itemsize:
        msg = f"{path}: expected an index with the hash that it was written with, got another"
        raise ShardError(msg)
    # Mapped, since the indices of all that a cache holds may be larger than what is used of them.
    return np.memmap(path, entry, "r", offset=len(_MAGIC) + _HASH)
