"""Where the members of a tar file lie: an index that gives access in any order.

Layout of the format: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar
manual, "Basic Tar Format", for long names.
"""

import os
import tarfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import AnyArray
from fivefold.data.packed import GatheredTexts, PackedTexts, Texts, chosen
from fivefold.data.tars.headers import read_header
from fivefold.data.text_order import first_alike

_BLOCK = tarfile.BLOCKSIZE
_LONGEST_NAME = 1 << 16
_LARGEST, _SIZE_DIGITS = 1 << 60, 18  # of a member in bytes; what is larger is damage
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
MEMBER = np.dtype([("sample", "<u4"), ("ending", "<u2"), ("start", "<u8"), ("size", "<u8")])
"""One member: of which sample, its ending, where its content begins, its length in bytes."""


@dataclass(frozen=True, eq=False)
class TarIndex:
    """The samples of a tar file.

    Attributes:
        keys: What the members of each sample are called up to the first dot [N]; unique.
        endings: What may follow that dot.
        members: Of type `MEMBER` [M], sorted by sample; of one name the last.
        damaged_at: The byte from which on the file is damaged or cut off; -1 if it is not.
    """

    keys: Texts
    endings: tuple[str, ...]
    members: AnyArray
    damaged_at: int


@dataclass(frozen=True)
class _Found:
    name: str
    start: int
    size: int


def read_tar(path: Path) -> TarIndex:
    """Read the headers of all members.

    Files whose names have no ending or begin with a dot, folders and links are passed over.

    Args:
        path: A tar file that is not compressed.

    Raises:
        DataError: If it cannot be read, or is compressed.
    """
    keys, endings = GatheredTexts(PackedTexts), dict[str, int]()
    numbers = array("Q")
    _check_regular(path)
    try:
        with path.open("rb") as file:
            _refuse_compressed(path, file)
            walk = _Walk(file)
            for found in walk.members():
                key, ending = _split(found.name)
                if not ending:
                    continue
                keys.add(key)
                kind = endings.setdefault(ending, len(endings))
                numbers.extend((kind, found.start, found.size))
    except OSError as error:
        msg = f"{path}: expected a readable tar file, got {error.strerror}"
        raise DataError(msg, slug="data/bad-shard") from error
    table = np.asarray(numbers, dtype=np.uint64).reshape(-1, 3)
    return _index(keys.done(), tuple(endings), table, walk.damaged_at)


def _index(keys: Texts, endings: tuple[str, ...], table: AnyArray, damaged_at: int) -> TarIndex:
    """Put members of one key together, wherever in the file they lie."""
    first = first_alike(keys)
    firsts, sample = np.unique(first, return_inverse=True)
    members = np.zeros(len(table), dtype=MEMBER)
    members["sample"] = sample
    members["ending"], members["start"], members["size"] = table.T
    order = np.lexsort((members["start"], members["ending"], members["sample"]))
    members = members[order]
    # Whoever adds to a tar file replaces what has the same name.
    same = members[["sample", "ending"]]
    last = np.append(same[1:] != same[:-1], True) if len(members) else np.zeros(0, bool)
    texts = PackedTexts(chosen(keys, firsts.astype(np.int64)))
    return TarIndex(texts, endings, members[last], damaged_at)


class _Walk:
    """A walk over the headers of a tar file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damaged_at = -1

    def members(self) -> Iterator[_Found]:
        """Give the regular files; stops where the file ends, or at the first damage."""
        total = self._file.seek(0, os.SEEK_END)
        offset, name, size = 0, "", -1
        while True:
            if offset > total:  # the last member is cut off
                self.damaged_at = total
                return
            self._file.seek(offset)
            block = self._file.read(_BLOCK)
            if block == bytes(_BLOCK):
                return
            info = read_header(block)
            if info is None or not 0 <= info.size < _LARGEST:
                self.damaged_at = offset
                return
            start = offset + _BLOCK
            if info.kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
                text = self._file.read(min(info.size, _LONGEST_NAME))
                if info.kind == tarfile.GNUTYPE_LONGNAME:
                    name = text.partition(b"\0")[0].decode("utf-8", "surrogateescape")
                else:
                    name, size = _pax(text, name, size)
                offset = start + _rounded(info.size)
                continue
            length = info.size if size < 0 else size
            if info.is_file:
                yield _Found(name or info.name, start, length)
            has_content = info.is_file or info.kind not in tarfile.SUPPORTED_TYPES
            passed_over = info.kind in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)
            offset = start + (_rounded(length) if has_content or passed_over else 0)
            if not passed_over:
                name, size = "", -1


def _pax(text: bytes, name: str, size: int) -> tuple[str, int]:
    """Read records such as `18 path=a/b.jpg` of a member's extended header."""
    while text:
        digits, _, rest = text.partition(b" ")
        if not digits.isdigit() or not 0 < int(digits) <= len(text):
            break
        keyword, _, value = rest[: int(digits) - len(digits) - 2].partition(b"=")
        if keyword == b"path":
            name = value.replace(b"\0", b"?").decode("utf-8", "surrogateescape")
        elif keyword == b"size" and value.isdigit() and len(value) < _SIZE_DIGITS:
            size = int(value)
        text = text[int(digits) :]
    return name, size


def _rounded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _split(name: str) -> tuple[str, str]:
    """Divide a name at the first dot of its last part; no ending where there is no sample."""
    folder, slash, base = name.removeprefix("./").rpartition("/")
    stem, _, ending = base.partition(".")
    return f"{folder}{slash}{stem}", ending.lower() if stem else ""


def _check_regular(path: Path) -> None:
    """Refuse what has no middle to read from; opening a pipe would wait for ever."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe, socket or device"
        msg = f"{path}: expected a tar file, got {kind}"
        hint = "`*.tar` stands for all that are in a folder"
        raise DataError(msg, hint=hint, slug="data/bad-shard")


def _refuse_compressed(path: Path, file: BinaryIO) -> None:
    head = file.read(6)
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            msg = f"{path}: expected a tar file that is not compressed, got {kind}"
            hint = "unpack it to a plain tar: images are compressed already"
            raise DataError(msg, hint=hint, slug="data/bad-shard")
