"""Near duplicates among the samples of a table, found by their pixels at the network's size."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Indices
from fivefold.data.images import ResizedImages
from fivefold.data.near.hashing import hash_of, look_alike, thumbnail_of
from fivefold.data.near.search import near_firsts
from fivefold.data.packed import chosen
from fivefold.data.packed_numbers import in_parts
from fivefold.data.samples import SampleTable
from fivefold.data.text_order import first_alike, joined

_AHEAD = 16  # images that each thread may be ahead, so that an interrupt is quick


def find_near(images: ResizedImages, distance: int, progress: Progress) -> Indices:
    """Find near duplicates: pictures that were saved anew, made smaller, or turned grey.

    Two are such if their hashes differ in at most so many bits and their small grey pictures look
    alike (`hashing.look_alike`). It does not matter in which order samples are listed.

    Args:
        images: The samples' pixels.
        distance: Bits of 64.
        progress: Who watches.

    Returns:
        For each row the first in the order of ids that it is put together with [N], itself if it
        is put together with none before it.
    """
    table = images.table
    order = np.arange(len(table)) if table.order is None else table.order.astype(np.int64)
    hashes = np.zeros(len(table), dtype=np.uint64)
    with progress.bar("near duplicates", len(table)) as advance, closing(_hashes(images)) as found:
        for row, own in enumerate(found):
            hashes[row] = own
            advance(1)
    same = _Comparison(images, order, distance)
    firsts = near_firsts(hashes[order], distance, same)
    rows = np.empty(len(table), dtype=np.int64)
    rows[order] = order[firsts]
    return rows


def tied(table: SampleTable, firsts: Indices) -> SampleTable:
    """Put samples into one group that are near duplicates, together with all of their groups."""
    ranks = table.ranks
    group = joined(first_alike(table.groups), firsts)
    lowest = np.full(len(table), len(table))
    np.minimum.at(lowest, group, ranks)
    row_of = np.argsort(ranks)
    return replace(table, groups=chosen(table.ids, row_of[lowest[group]]))


def _hashes(images: ResizedImages) -> Generator[int]:
    """Hash all images in their order."""
    count = len(images.table)
    stream = images.stream(np.arange(part.start, part.stop) for part in in_parts(count))
    if stream is not None:
        with closing(stream):
            yield from (hash_of(image) for image, _ in stream)
        return

    def hashed(row: int) -> int:
        return hash_of(images.get(row))

    threads = decoding_threads()
    with closing(map_ahead(hashed, range(count), threads=threads, ahead=threads * _AHEAD)) as found:
        yield from found


class _Comparison:
    """Compares pictures, each of which is read once."""

    def __init__(self, images: ResizedImages, order: Indices, distance: int) -> None:
        self._images, self._order, self._distance = images, order, distance
        self._place = np.full(len(order), -1, dtype=np.int64)
        self._thumbnails = np.empty((0, 0), dtype=np.uint8)

    def __call__(self, first: Indices, second: Indices) -> AnyArray:
        self._read(np.unique(np.concatenate([first, second])))
        known = self._thumbnails
        return look_alike(known[self._place[first]], known[self._place[second]], self._distance)

    def _read(self, places: Indices) -> None:
        new = places[self._place[places] < 0]
        if not len(new):
            return
        made = np.stack([thumbnail_of(self._images.get(int(self._order[k]))) for k in new])
        self._place[new] = np.arange(len(new)) + len(self._thumbnails)
        known = [self._thumbnails] if len(self._thumbnails) else []
        self._thumbnails = np.concatenate([*known, made])
