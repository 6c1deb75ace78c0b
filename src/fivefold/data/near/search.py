"""Which of millions of hashes differ in few bits, without comparing each with each.

If two hashes of d + r blocks of bits differ in at most d bits, at least r blocks are equal. So for
each choice of r blocks only those are compared that agree in them: multi-index hashing, Norouzi,
Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014.
"""

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TypeAlias

import numpy as np

from fivefold.core.types import AnyArray, Indices
from fivefold.data.near.hashing import NO_HASH

Compare: TypeAlias = Callable[[Indices, Indices], AnyArray]
"""Says of places, pair by pair, whether they are to be put together [P]."""

_BITS = 64
_FEW = 2048
_CROWD = 32
_ROUNDS = 16
_MOST_CHOICES = 200
_PAIRS = 1 << 14


def near_firsts(hashes: AnyArray, distance: int, same: Compare) -> Indices:
    """Put places together whose hashes are near and that are the same, directly or through others.

    Of more than 32 places with one hash, each is compared with few others of them.

    Args:
        hashes: uint64 [N]; `NO_HASH` is near no other.
        distance: Bits in which they may differ.
        same: Asked about each pair of near hashes.

    Returns:
        For each place the first of its group [N], as `text_order.first_alike` gives it.
    """
    groups = _Groups(len(hashes), same)
    places = _without_crowds(hashes, groups)
    for first, second in near_pairs(hashes[places], distance):
        groups.add(places[first], places[second])
    return groups.firsts()


def near_pairs(hashes: AnyArray, distance: int) -> Iterator[tuple[Indices, Indices]]:
    """Find all pairs of places whose hashes differ in at most so many bits, some at a time.

    A pair may come more than once.
    """
    for mask in _masks(len(hashes), distance):
        key = hashes & mask
        order = np.argsort(key, kind="stable")
        yield from _pairs_of_runs(hashes, key, order, distance)


def _masks(count: int, distance: int) -> Iterator[np.uint64]:
    """Choose the blocks that must be equal: as few as leave little to compare."""
    needed = 0 if count <= _FEW else 1
    while (
        needed
        and _BITS * needed / (distance + needed) < math.log2(count)
        and math.comb(distance + needed + 1, needed + 1) <= _MOST_CHOICES
    ):
        needed += 1
    parts = np.array_split(np.arange(_BITS, dtype=np.uint64), max(distance + needed, 1))
    blocks = [int(np.bitwise_or.reduce(np.uint64(1) << part)) for part in parts]
    for chosen in combinations(blocks, needed):
        yield np.uint64(sum(chosen))


def _pairs_of_runs(
    hashes: AnyArray, key: AnyArray, order: Indices, distance: int
) -> Iterator[tuple[Indices, Indices]]:
    """Compare each hash with those after it that have the same key."""
    ordered, keys = hashes[order], key[order]
    left = np.arange(len(order))
    for step in range(1, len(order)):
        left = left[left + step < len(order)]
        left = left[keys[left] == keys[left + step]]
        if not len(left):
            return
        near = left[np.bitwise_count(ordered[left] ^ ordered[left + step]) <= distance]
        if len(near):
            yield order[near], order[near + step]


def _without_crowds(hashes: AnyArray, groups: "_Groups") -> Indices:
    """Put many places of one hash together with few comparisons; give all others to be searched."""
    number, counts = np.unique(hashes, return_inverse=True, return_counts=True)[1:]
    crowded = counts[number] > _CROWD
    known = hashes != NO_HASH
    left = np.flatnonzero(crowded & known)
    leaders = [np.flatnonzero(~crowded & known)]
    for _ in range(_ROUNDS):
        if not len(left):
            break
        first = left[np.unique(number[left], return_index=True)[1]]
        leaders.append(first)
        leader_of = np.empty(len(counts), dtype=np.int64)
        leader_of[number[first]] = first
        own = leader_of[number[left]]
        rest, own = left[own != left], own[own != left]
        left = rest[~groups.add(own, rest)]
    return np.sort(np.concatenate(leaders))


class _Groups:
    """Places that were put together.

    Args:
        count: How many places there are.
        same: Says which may be.
    """

    def __init__(self, count: int, same: Compare) -> None:
        self._same = same
        self._parent = np.arange(count)

    def add(self, first: Indices, second: Indices) -> AnyArray:
        """Put pairs together that are the same; says which are together then [P]."""
        for start in range(0, len(first), _PAIRS):
            some = slice(start, start + _PAIRS)
            self._add(first[some], second[some])
        together: AnyArray = self._roots(first) == self._roots(second)
        return together

    def _add(self, first: Indices, second: Indices) -> None:
        apart = self._roots(first) != self._roots(second)
        first, second = first[apart], second[apart]
        if not len(first):
            return
        found = np.asarray(self._same(first, second), dtype=bool)
        for pair in zip(first[found].tolist(), second[found].tolist(), strict=True):
            low, high = sorted(map(self._root, pair))
            self._parent[high] = low

    def _root(self, place: int) -> int:
        parent = self._parent
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = int(parent[place])
        return place

    def _roots(self, places: Indices) -> Indices:
        roots = self._parent[places]
        while (further := self._parent[roots] != roots).any():
            roots = np.where(further, self._parent[roots], roots)
        return roots

    def firsts(self) -> Indices:
        """Give the first of each place's group [N]."""
        return self._roots(np.arange(len(self._parent)))
