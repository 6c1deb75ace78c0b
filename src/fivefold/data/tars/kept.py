"""Indices of tar files in the cache, so that headers are read once."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np

from fivefold.core.cache_home import CacheHome
from fivefold.core.durable import write_bytes
from fivefold.core.errors import ResourceError
from fivefold.data.packed import PackedTexts
from fivefold.data.tars.members import MEMBER, TarIndex, read_tar

logger = logging.getLogger(__name__)

_MAGIC = b"fivefold tar index 1\n"
_HASH = 32


def stamp_of(path: Path) -> str:
    """Tell a file's size and modification time; nothing where there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}"


def index_of(path: Path, home: CacheHome | None) -> TarIndex:
    """Find a tar file's index in the cache, or read it and keep it there.

    Args:
        path: The tar file.
        home: The cache; None for none.

    Raises:
        DataError: If the tar file cannot be read.
    """
    if home is None:
        return read_tar(path)
    about = f"{path.absolute()}\0{stamp_of(path)}".encode("utf-8", "surrogateescape")
    place = home.folder("tars") / f"{hashlib.sha256(about).hexdigest()[:32]}.tarindex"
    known = _read(place)
    if known is not None:
        return known
    index = read_tar(path)
    try:
        write_bytes(place, _packed(index))
    except (OSError, ResourceError) as error:
        logger.info("%s: its index is not kept: %s", path, str(error).partition("\n")[0])
    return index


def _packed(index: TarIndex) -> bytes:
    about = {
        "endings": index.endings,
        "damaged_at": index.damaged_at,
        "samples": len(index.keys),
        "members": len(index.members),
    }
    keys = "\0".join(index.keys).encode("utf-8", "surrogatepass")
    body = json.dumps(about).encode("ascii") + b"\n" + index.members.tobytes() + keys
    return _MAGIC + hashlib.sha256(body).digest() + body


def _read(place: Path) -> TarIndex | None:
    """Read an index; None where there is none, or where it is not what was written."""
    try:
        data = place.read_bytes()
    except OSError:
        return None
    body = memoryview(data)[len(_MAGIC) + _HASH :]
    if not data.startswith(_MAGIC + hashlib.sha256(body).digest()):
        logger.warning("the cache is damaged, a tar file's index is made again: %s", place)
        return None
    head = bytes(body[: data.index(b"\n", len(_MAGIC) + _HASH) - len(_MAGIC) - _HASH])
    about = json.loads(head)
    start = len(head) + 1
    end = start + about["members"] * MEMBER.itemsize
    members = np.frombuffer(body[start:end], dtype=MEMBER)
    keys = bytes(body[end:]).decode("utf-8", "surrogatepass").split("\0")
    texts = PackedTexts(keys if about["samples"] else ())
    return TarIndex(texts, tuple(about["endings"]), members, about["damaged_at"])
