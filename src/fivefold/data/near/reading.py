"""Near duplicates among samples that nobody has audited: each is read and decoded once."""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Indices
from fivefold.data.image_problem import ImageProblem
from fivefold.data.near.hashing import NO_HASH, THUMBNAIL, hash_of, look_alike, thumbnail_of
from fivefold.data.near.search import near_firsts
from fivefold.data.packed import GatheredTexts, Texts, packed_digests
from fivefold.data.packed_numbers import in_parts
from fivefold.data.samples import SampleTable
from fivefold.data.source import Source
from fivefold.data.unread import Unread

_ENOUGH = (224, 224)  # pixels, as most networks see; a large JPEG is decoded no larger
_AHEAD, _TOGETHER = 4, 8  # parts of so many images that each thread may be ahead

_Seen: TypeAlias = tuple[str, int, AnyArray | None, str]
"""A digest, a hash, a thumbnail, and why there is no image; no digest where nothing was read."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What samples contain [N].

    Attributes:
        digests: SHA-256 of each; of something that no other has where it cannot be read.
        hashes: Of what each looks like; `NO_HASH` where it cannot be decoded [N].
        thumbnails: Of it [N, 256].
        unread: Those that cannot be read or decoded.
    """

    digests: Texts
    hashes: AnyArray
    thumbnails: AnyArray
    unread: Unread

    def firsts(self, table: SampleTable, distance: int) -> Indices:
        """Find near duplicates, as `ties.find_near` does.

        Args:
            table: All samples, in the order of the source.
            distance: Bits in which hashes of the same picture may differ.

        Returns:
            For each row the first in the order of ids that it is put together with [N].
        """
        order = np.arange(len(table)) if table.order is None else table.order.astype(np.int64)

        def same(first: Indices, second: Indices) -> AnyArray:
            known = self.thumbnails
            return look_alike(known[order[first]], known[order[second]], distance)

        rows = np.empty(len(table), dtype=np.int64)
        rows[order] = order[near_firsts(self.hashes[order], distance, same)]
        return rows


def read_contents(source: Source, progress: Progress) -> Contents:
    """Read and decode every sample once; what cannot be read is like no other."""
    return _gathered(source, progress, _look)


def read_digests(source: Source, progress: Progress) -> Contents:
    """Read every sample without decoding it: only exact copies are known then."""
    return _gathered(source, progress, _read)


def _gathered(source: Source, progress: Progress, look: Callable[[Source, int], _Seen]) -> Contents:
    count, threads = len(source), decoding_threads()
    digests = GatheredTexts(packed_digests)
    hashes = np.full(count, NO_HASH, dtype=np.uint64)
    thumbnails = np.zeros((count, THUMBNAIL), dtype=np.uint8)  # takes memory where it is written
    unread = Unread()
    found = map_ahead(
        lambda places: [look(source, i) for i in places],
        in_parts(count, _TOGETHER),
        threads=threads,
        ahead=threads * _AHEAD,
    )
    with progress.bar("looking for copies", count) as advance, closing(found):
        for i, (digest, hashed, thumbnail, reason) in enumerate(chain.from_iterable(found)):
            digests.add(digest or own_digest(source.sample_ids[i]))
            if reason:
                unread.add(source.sample_ids[i], reason)
            hashes[i] = hashed
            if thumbnail is not None:
                thumbnails[i] = thumbnail
            advance(1)
    return Contents(digests.done(), hashes, thumbnails, unread)


def own_digest(sample_id: str) -> str:
    """Make a digest that no other sample has."""
    return hashlib.sha256(f"id {sample_id}".encode("utf-8", "surrogatepass")).hexdigest()


def _look(source: Source, i: int) -> _Seen:
    digest = ""
    try:
        fetched = source.fetch(i)
        digest = fetched.digest
        image = fetched.decode(_ENOUGH).image
    except ImageProblem as problem:
        return digest, NO_HASH, None, problem.reason.value
    return digest, hash_of(image), thumbnail_of(image), ""


def _read(source: Source, i: int) -> _Seen:
    try:
        return source.fetch(i).digest, NO_HASH, None, ""
    except ImageProblem as problem:
        return "", NO_HASH, None, problem.reason.value
