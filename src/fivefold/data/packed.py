"""Many short texts in little memory: one block of bytes instead of an object for each.

A tuple of texts takes eight bytes and an object each, and whoever reads one writes into its count
of references: in a forked process that copies the page it is in. What is here is only read.
"""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from fivefold.core.types import AnyArray, Indices

_BLOCK = 64
"""How many texts share one beginning and one end."""
_DIGEST_BYTES = 32


class Texts(Sequence[str]):
    """Texts that are made anew when they are asked for; equal to any tuple of the same."""

    @abstractmethod
    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> tuple[str, ...]: ...
    def __getitem__(self, i: int | slice) -> str | tuple[str, ...]:
        """Give a text, or some as a tuple."""
        if isinstance(i, slice):
            return tuple(self.at(k) for k in range(len(self))[i])
        return self.at(range(len(self))[i])

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | Texts):
            return NotImplemented
        if self is other:
            return True
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


class PackedTexts(Texts):
    """Texts of which neighbours begin and end alike, such as sorted paths.

    Args:
        texts: Any; undecodable bytes of file names come back as they were.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        # Unlike "surrogateescape" this gives back every text that Python can hold.
        known = [text.encode("utf-8", "surrogatepass") for text in texts]
        blocks = [_shared(known[k : k + _BLOCK]) for k in range(0, len(known), _BLOCK)]
        ends = [
            end for _, _, parts in blocks for end in np.cumsum([len(p) for p in parts]).tolist()
        ]
        self._bytes = b"".join(
            prefix + suffix + b"".join(parts) for prefix, suffix, parts in blocks
        )
        lengths = [len(p) + len(s) + sum(map(len, parts)) for p, s, parts in blocks]
        self._starts = small(np.cumsum([0, *lengths]))
        self._shared = small(np.asarray([(len(p), len(s)) for p, s, _ in blocks]).reshape(-1, 2))
        self._ends = small(np.asarray(ends, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._ends)

    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""
        block, place = divmod(k, _BLOCK)
        start = self._starts.item(block)
        suffix = start + self._shared.item(block, 0)
        parts = suffix + self._shared.item(block, 1)
        first = parts + (self._ends.item(k - 1) if place else 0)
        own = self._bytes[first : parts + self._ends.item(k)]
        whole = self._bytes[start:suffix] + own + self._bytes[suffix:parts]
        return whole.decode("utf-8", "surrogatepass")


class ChosenTexts(Texts):
    """Some texts of others, which are not copied.

    Args:
        texts: The others.
        rows: Their places [N].
    """

    def __init__(self, texts: Texts, rows: Indices) -> None:
        self._texts = texts
        self._rows = small(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""
        return self._texts.at(self._rows.item(k))


class WrappedTexts(Texts):
    """Other texts, each with the same before and after it.

    Args:
        texts: The others.
        before: What each begins with.
        after: What each ends with.
    """

    def __init__(self, texts: Texts, before: str, after: str) -> None:
        self._texts = texts
        self._before, self._after = before, after

    def __len__(self) -> int:
        return len(self._texts)

    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""
        return f"{self._before}{self._texts.at(k)}{self._after}"


class PackedDigests(Texts):
    """SHA-256 digests: hexadecimal digits outside, 32 bytes each inside.

    Args:
        digests: Each 64 lower-case hexadecimal digits.
    """

    def __init__(self, digests: Iterable[str]) -> None:
        self._bytes = b"".join(map(bytes.fromhex, digests))

    def __len__(self) -> int:
        return len(self._bytes) // _DIGEST_BYTES

    def at(self, k: int) -> str:
        """Give the digest at a place from 0 to the last."""
        return self._bytes[k * _DIGEST_BYTES : (k + 1) * _DIGEST_BYTES].hex()


def packed(texts: Iterable[str]) -> Texts:
    """Pack texts, unless they are."""
    return texts if isinstance(texts, Texts) else PackedTexts(texts)


def chosen(texts: Sequence[str], rows: Indices) -> Sequence[str]:
    """Give texts at some places [N]: packed ones without copying them, a tuple of others."""
    if not isinstance(texts, Texts):
        return tuple(texts[row] for row in rows.tolist())
    whole = len(rows) == len(texts) and np.array_equal(rows, np.arange(len(rows)))
    return texts if whole else ChosenTexts(texts, rows)


def packed_beside(texts: Iterable[str], others: Texts) -> Texts:
    """Pack texts in no memory at all if each is one of the others with the same around it.

    Args:
        texts: Such as paths [N].
        others: Such as ids [N].
    """
    known = list(texts)
    if known and others[0]:
        before, _, after = known[0].rpartition(others[0])
        wrapped = WrappedTexts(others, before, after)
        if wrapped == tuple(known):
            return wrapped
    return PackedTexts(known)


def small(numbers: Indices) -> AnyArray:
    """Write whole numbers with as few bytes as hold all of them."""
    if not len(numbers):
        return numbers
    low, high = int(numbers.min()), int(numbers.max())
    return numbers.astype(np.min_scalar_type(min(low, -high - 1) if low < 0 else high))


def _shared(texts: Sequence[bytes]) -> tuple[bytes, bytes, list[bytes]]:
    """Split texts into the beginning and the end that all share, and what is between."""
    before = _num_alike(min(texts), max(texts))
    rest = [text[before:] for text in texts]
    backwards = [text[::-1] for text in rest]
    after = _num_alike(min(backwards), max(backwards))
    prefix, suffix = texts[0][:before], backwards[0][:after][::-1]
    return prefix, suffix, [text[: len(text) - after] for text in rest]


def _num_alike(first: bytes, last: bytes) -> int:
    """Count the bytes that two texts begin with alike; all that sort between do so too."""
    return len(os.path.commonprefix([first, last]))  # noqa: RUF071  of any texts
