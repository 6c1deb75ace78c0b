"""Many short texts in little memory: one block of bytes instead of an object for each.

A tuple of texts takes eight bytes and an object each, and whoever reads one writes into its count
of references: in a forked process that copies the page it is in. What is here is only read.
"""

import os
import re
from abc import abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import overload

import numpy as np

from fivefold.core.types import AnyArray, Indices

_BLOCK = 64
"""How many texts share one beginning and one end."""
_PART = 4096
"""How many texts are objects at a time."""
_DIGEST_BYTES = 32
_NO_DIGEST = bytes(_DIGEST_BYTES)
_NO_HEX = _NO_DIGEST.hex()
_DIGEST = re.compile("[0-9a-f]{64}", re.ASCII)


class Texts(Sequence[str]):
    """Texts that are made anew when they are asked for; equal to any tuple of the same.

    Going through them one after the other is much faster than asking for each.
    """

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
        body, left = bytearray(), iter(texts)
        starts, shared, ends = array("q", [0]), array("q"), array("q")
        # Unlike "surrogateescape" this gives back every text that Python can hold.
        while some := [t.encode("utf-8", "surrogatepass") for t in islice(left, _BLOCK)]:
            prefix, suffix, parts = _shared(some)
            body += prefix + suffix + b"".join(parts)
            starts.append(len(body))
            shared.extend((len(prefix), len(suffix)))
            ends.extend(accumulate(map(len, parts)))
        self._bytes = bytes(body)
        self._starts = small(np.asarray(starts, dtype=np.int64))
        self._shared = small(np.asarray(shared, dtype=np.int64).reshape(-1, 2))
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

    def __iter__(self) -> Iterator[str]:
        body, starts, shared = self._bytes, self._starts, self._shared
        for block in range(len(shared)):
            start = starts.item(block)
            suffix = start + shared.item(block, 0)
            first = parts = suffix + shared.item(block, 1)
            before, after = body[start:suffix], body[suffix:parts]
            for end in self._ends[block * _BLOCK : (block + 1) * _BLOCK].tolist():
                own = body[first : parts + end]
                yield (before + own + after).decode("utf-8", "surrogatepass")
                first = parts + end


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

    def __iter__(self) -> Iterator[str]:
        before, after = self._before, self._after
        return (f"{before}{text}{after}" for text in self._texts)


class JoinedTexts(Texts):
    """Texts of several parts, one part after the other.

    Args:
        parts: All but the last are equally long.
    """

    def __init__(self, parts: Sequence[Texts]) -> None:
        self._parts = tuple(parts)
        self._size = len(parts[0]) if parts else 1

    def __len__(self) -> int:
        return self._size * (len(self._parts) - 1) + len(self._parts[-1]) if self._parts else 0

    def at(self, k: int) -> str:
        """Give the text at a place from 0 to the last."""
        part, place = divmod(k, self._size)
        return self._parts[part].at(place)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._parts)


class PackedDigests(Texts):
    """SHA-256 digests: hexadecimal digits outside, 32 bytes each inside.

    Args:
        digests: Each 64 lower-case hexadecimal digits; nothing where there is none, which zeros
            stand for.
    """

    def __init__(self, digests: Iterable[str]) -> None:
        self._bytes = raw_digests(digests)

    def __len__(self) -> int:
        return len(self._bytes) // _DIGEST_BYTES

    def at(self, k: int) -> str:
        """Give the digest at a place from 0 to the last."""
        raw = self._bytes[k * _DIGEST_BYTES : (k + 1) * _DIGEST_BYTES]
        return "" if raw == _NO_DIGEST else raw.hex()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self._bytes), _PART * _DIGEST_BYTES):
            part = self._bytes[start : start + _PART * _DIGEST_BYTES].hex()
            for k in range(0, len(part), 2 * _DIGEST_BYTES):
                digest = part[k : k + 2 * _DIGEST_BYTES]
                yield "" if digest == _NO_HEX else digest


class GatheredTexts:
    """Texts that come one after the other, and are packed before there are many.

    Args:
        pack: Packs some.
    """

    def __init__(self, pack: Callable[[Sequence[str]], Texts]) -> None:
        self._pack = pack
        self._waiting: list[str] = []
        self._parts: list[Texts] = []

    def add(self, text: str) -> None:
        """Take the next text."""
        self._waiting.append(text)
        if len(self._waiting) == _PART:
            self._parts.append(self._pack(self._waiting))
            self._waiting = []

    def done(self) -> Texts:
        """Give all texts."""
        rest = [self._pack(self._waiting)] if self._waiting else []
        return JoinedTexts([*self._parts, *rest])


def raw_digests(digests: Iterable[str]) -> bytes:
    """Write digests one after the other, 32 bytes each; zeros for an empty one."""
    raw = bytearray()
    for digest in digests:
        raw += bytes.fromhex(digest) if digest else _NO_DIGEST
    return bytes(raw)


def packed_digests(digests: Sequence[str]) -> Texts:
    """Pack digests: as bytes if all of them are digests or nothing, else as texts."""
    known = all(_is_digest(digest) or not digest for digest in digests)
    return PackedDigests(digests) if known else PackedTexts(digests)


def _is_digest(text: str) -> bool:
    return bool(_DIGEST.fullmatch(text)) and text.strip("0") != ""


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
    left = iter(texts)
    first = next(left, None)
    if first is None:
        return PackedTexts(())
    before, _, after = first.rpartition(others[0]) if others[0] else (first, "", "")
    wrapped = WrappedTexts(others, before, after)
    differ = False

    def compared() -> Iterator[str]:
        nonlocal differ
        for text, expected in zip(chain([first], left), wrapped, strict=True):
            differ = differ or text != expected
            yield text

    own = PackedTexts(compared())
    return own if differ else wrapped


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
