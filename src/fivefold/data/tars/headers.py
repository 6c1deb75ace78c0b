"""Headers of tar members, of which there may be millions."""

import tarfile
from dataclasses import dataclass

FILE = (b"0", b"\0")
_MAGIC = (b"ustar\0", b"ustar ")
_SUM = slice(148, 156)


@dataclass(frozen=True, slots=True)
class TarHeader:
    """What a header says.

    Attributes:
        name: Of the member; bytes that are no UTF-8 come back as they were.
        size: In bytes.
        kind: One byte, as `tarfile` names them.
    """

    name: str
    size: int
    kind: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.kind in tarfile.REGULAR_TYPES


def read_header(block: bytes) -> TarHeader | None:
    """Read one header, as `tarfile.TarInfo.frombuf` does.

    Args:
        block: 512 bytes.

    Returns:
        None where it is damaged or cut off.
    """
    if block[156:157] in FILE and block[257:263] in _MAGIC and len(block) == tarfile.BLOCKSIZE:
        found = _plain(block)
        if found:
            return found
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return TarHeader(info.name, info.size, info.type)


def _plain(block: bytes) -> TarHeader | None:
    """Read what nearly all headers are, three times as fast; None for everything else."""
    try:
        size, checksum = _octal(block[124:136]), _octal(block[_SUM])
    except ValueError:
        return None
    # The sum counts its own field as blanks: eight times 32.
    if checksum != sum(block) - sum(block[_SUM]) + 256:
        return None
    name, prefix = _text(block[:100]), _text(block[345:500])
    if name.endswith(b"/"):  # a folder of very old programs
        return None
    whole = prefix + b"/" + name if prefix else name
    return TarHeader(whole.decode("utf-8", "surrogateescape"), size, block[156:157])


def _octal(field: bytes) -> int:
    return int(_text(field).strip() or b"0", 8)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
