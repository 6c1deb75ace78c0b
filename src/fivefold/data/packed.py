"""Many short texts in little memory: one block of bytes instead of an object for each."""

import os
from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

_DIGEST_BYTES = 32


class PackedTexts(Sequence[str]):
    """Texts that share a beginning, such as paths; each is made anew when it is asked for.

    Args:
        texts: Any; undecodable bytes of file names come back as they were.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        known = list(texts)
        self._prefix = os.path.commonprefix(known)  # noqa: RUF071  of any texts
        parts = [_encoded(text[len(self._prefix) :]) for text in known]
        self._ends = np.cumsum([0, *map(len, parts)])
        self._block = b"".join(parts)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[str]: ...
    def __getitem__(self, i: int | slice) -> str | Sequence[str]:
        """Give a text, or some as a tuple."""
        if isinstance(i, slice):
            return tuple(self[k] for k in range(len(self))[i])
        k = range(len(self))[i]
        part = self._block[self._ends[k] : self._ends[k + 1]]
        return self._prefix + part.decode("utf-8", "surrogateescape")


class PackedDigests(Sequence[str]):
    """SHA-256 digests: hexadecimal digits outside, 32 bytes each inside.

    Args:
        digests: Each 64 lower-case hexadecimal digits.
    """

    def __init__(self, digests: Iterable[str]) -> None:
        self._block = bytes.fromhex("".join(digests))

    def __len__(self) -> int:
        return len(self._block) // _DIGEST_BYTES

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[str]: ...
    def __getitem__(self, i: int | slice) -> str | Sequence[str]:
        """Give a digest in hex, or some as a tuple."""
        if isinstance(i, slice):
            return tuple(self[k] for k in range(len(self))[i])
        start = range(len(self))[i] * _DIGEST_BYTES
        return self._block[start : start + _DIGEST_BYTES].hex()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
