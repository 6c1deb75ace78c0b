"""Sorting, comparing and finding many texts without keeping an object for each."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.packed import PackedTexts, Texts, small

_RUN = 1 << 12
"""How many texts are objects at a time."""
_MOST_BYTES = 1 << 28
"""What texts may take, all made as long as the longest, to be sorted as an array."""


def sorted_texts(texts: Iterable[str]) -> Texts:
    """Sort texts, packed."""
    left, runs = iter(texts), list[Texts]()
    while some := sorted(islice(left, _RUN)):
        runs.append(PackedTexts(some))
    return runs[0] if len(runs) == 1 else PackedTexts(heapq.merge(*runs))


def order_of(texts: Sequence[str]) -> AnyArray | None:
    """Give the places of texts in their sorted order [N]; None if they are sorted and unique."""
    if all(a < b for a, b in pairwise(texts)):
        return None
    table = _as_array(texts)
    if table is not None:
        return small(np.argsort(table, kind="stable"))
    runs = []
    for start in range(0, len(texts), _RUN):
        some = texts[start : start + _RUN]
        places = sorted(range(len(some)), key=some.__getitem__)
        runs.append(small(np.asarray(places, dtype=np.int64) + start))
    # A run is read as plain integers: reading a text by one of NumPy's takes longer.
    merged = heapq.merge(*map(_integers, runs), key=texts.__getitem__)
    return small(np.fromiter(merged, np.int64, len(texts)))


def _as_array(texts: Sequence[str]) -> AnyArray | None:
    """Write texts as bytes of one length [N], which sort alike; None if that is much memory.

    UTF-8 sorts as the code points do.
    """
    parts = [np.zeros(0, "S1")]
    left = iter(texts)
    while some := [text.encode("utf-8", "surrogatepass") for text in islice(left, _RUN)]:
        parts.append(np.array(some))
        longest = max(part.dtype.itemsize for part in parts)
        # NumPy drops zeros at the end, so that "a" and "a\0" would be the same.
        if longest * len(texts) > _MOST_BYTES or any(text.endswith(b"\0") for text in some):
            return None
    return np.concatenate(parts)


def first_alike(texts: Sequence[str]) -> Indices:
    """Find for each text the place of the first that equals it [N]."""
    first = np.arange(len(texts))
    order, marks = _by_mark(texts)
    for run in _runs(marks):
        known: dict[str, int] = {}  # texts of one mark may differ still
        for place in order[run].tolist():
            first[place] = known.setdefault(texts[place], place)
    return first


def joined(*firsts: Indices) -> Indices:
    """Put places together that share something, directly or through others.

    Args:
        firsts: For each thing that may be shared what `first_alike` gives [N].

    Returns:
        For each place the first of its group [N].
    """
    parent = firsts[0].copy()

    def root_of(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = int(parent[place])
        return place

    for first in firsts[1:]:
        for place in np.flatnonzero(first != np.arange(len(first))).tolist():
            low, high = sorted((root_of(place), root_of(int(first[place]))))
            parent[high] = low
    return np.asarray([root_of(place) for place in range(len(parent))], dtype=np.int64)


class TextIndex:
    """Finds texts by 16 bytes each.

    Args:
        texts: Unique [N].
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._order, self._marks = _by_mark(texts)

    def find(self, text: str) -> int | None:
        """Give the place of a text, or None."""
        mark = hash(text)
        near = int(np.searchsorted(self._marks, mark))
        while near < len(self._marks) and self._marks[near] == mark:
            place = int(self._order[near])
            if self._texts[place] == text:
                return place
            near += 1
        return None


def _integers(numbers: AnyArray) -> Iterator[int]:
    for start in range(0, len(numbers), _RUN):
        yield from numbers[start : start + _RUN].tolist()


def _by_mark(texts: Sequence[str]) -> tuple[Indices, Indices]:
    """Sort places by numbers that equal texts share: the places [N], and their numbers [N]."""
    marks = np.fromiter(map(hash, texts), np.int64, len(texts))
    order = np.argsort(marks, kind="stable")
    return order, marks[order]


def _runs(marks: Indices) -> Iterator[slice]:
    """Find where sorted numbers are equal, at least two."""
    starts = np.flatnonzero(np.r_[True, marks[1:] != marks[:-1]]) if len(marks) else marks
    ends = np.r_[starts[1:], len(marks)] if len(marks) else marks
    for k in np.flatnonzero(ends - starts > 1).tolist():
        yield slice(int(starts[k]), int(ends[k]))
