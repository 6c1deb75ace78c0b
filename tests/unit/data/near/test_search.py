import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.near.hashing import NO_HASH
from fivefold.data.near.search import near_firsts, near_pairs


def always(first, second):
    return np.ones(len(first), dtype=bool)


def planted(count, distance, seed=0):
    """Random hashes, some of which differ from others in few bits."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(1, 2**64, count, dtype=np.uint64, endpoint=False)
    for place in range(0, count - 1, 7):
        flipped = rng.choice(64, rng.integers(0, distance + 3), replace=False)
        hashes[place + 1] = hashes[place] ^ np.uint64(sum(1 << int(bit) for bit in flipped))
    return hashes


def brute_force(hashes, distance):
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    return {(int(i), int(j)) for i, j in np.argwhere(np.triu(apart <= distance, 1))}


@pytest.mark.parametrize("count", [0, 1, 2, 300, 3000])
@pytest.mark.parametrize("distance", [1, 4, 8])
def test_the_pairs_are_those_that_comparing_all_finds(count, distance):
    hashes = planted(count, distance)
    found = {
        (min(pair), max(pair))
        for first, second in near_pairs(hashes, distance)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    }
    assert found == brute_force(hashes, distance)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 15), min_size=1, max_size=50), st.integers(1, 3))
def test_groups_are_the_connected_ones(values, distance):
    hashes = np.array(values, dtype=np.uint64)
    firsts = near_firsts(hashes, distance, always)
    root = list(range(len(values)))
    for _ in values:
        for i, a in enumerate(values):
            for j, b in enumerate(values):
                if a and b and (a ^ b).bit_count() <= distance:
                    root[i] = root[j] = min(root[i], root[j])
    assert firsts.tolist() == root


def test_pictures_without_a_hash_stay_alone():
    assert near_firsts(np.full(100, NO_HASH, np.uint64), 4, always).tolist() == list(range(100))


def test_only_those_are_put_together_that_are_the_same():
    hashes = np.full(6, 7, np.uint64)

    def same_parity(first, second):
        return (first - second) % 2 == 0

    assert near_firsts(hashes, 4, same_parity).tolist() == [0, 1, 0, 1, 0, 1]


def test_a_crowd_of_one_hash_is_compared_with_few():
    hashes = np.r_[np.full(5000, 7, np.uint64), np.array([6, 2**63], np.uint64)]
    asked = []

    def counted(first, second):
        asked.append(len(first))
        return (first - second) % 2 == 0

    assert near_firsts(hashes, 2, counted).tolist() == [k % 2 for k in range(5000)] + [0, 5001]
    assert sum(asked) < 5 * len(hashes)


@pytest.mark.slow
def test_a_million_hashes_take_seconds():
    hashes = np.random.default_rng(0).integers(1, 2**63, 1_000_000).astype(np.uint64)
    hashes[500_000:510_000] = hashes[:10_000] ^ np.uint64(0b1011)
    started = time.monotonic()
    firsts = near_firsts(hashes, 4, always)
    assert time.monotonic() - started < 60
    assert (firsts[500_000:510_000] == np.arange(10_000)).all()
    assert (firsts != np.arange(len(hashes))).sum() == 10_000
