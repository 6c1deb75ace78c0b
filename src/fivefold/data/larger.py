"""Larger pictures of the same samples, for augmentation that enlarges parts of them."""

from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Image
from fivefold.data.forked import read_in_order
from fivefold.data.images import LargerImages, ResizedImages
from fivefold.data.kept import Kept
from fivefold.data.shards import Known

_AHEAD = 16


def have_more(sizes: AnyArray, shape: tuple[int, int, int]) -> AnyArray:
    """Say which images have more pixels than the network sees [N].

    Args:
        sizes: Their heights and widths [N, 2].
        shape: Of the network.
    """
    found: AnyArray = np.asarray(sizes, np.int64).prod(axis=1) > shape[0] * shape[1]
    return found


def open_larger(
    images: ResizedImages, kept: Kept, sizes: AnyArray, progress: Progress
) -> LargerImages:
    """Lay the larger pictures down where the disk keeps them; elsewhere they are read when needed.

    Args:
        images: The samples at the network's size.
        kept: Where the larger pictures are to be kept.
        sizes: Height and width of each whole sample [N, 2].
        progress: Who watches.

    Raises:
        DataError: If a sample cannot be read any more.
    """
    wanted = have_more(sizes, images.shape)
    larger = ResizedImages(images.source, images.table, kept)
    if kept.on_disk:
        rows = np.flatnonzero(wanted & ~larger.stored).tolist()
        if rows:
            _keep(larger, rows, kept, sizes, progress)
            larger = ResizedImages(images.source, images.table, kept)
    return LargerImages(larger, wanted)


def _keep(
    larger: ResizedImages, rows: Sequence[int], kept: Kept, sizes: AnyArray, progress: Progress
) -> None:
    table, found = larger.table, _read_in_order(larger, rows)
    with progress.bar("larger pictures", len(rows)) as advance, closing(found):
        try:
            for row, pixels in zip(rows, found, strict=True):
                height, width = (int(side) for side in sizes[row])
                known = Known(height, width)
                kept.keep(int(table.indices[row]), table.digests[row], pixels, known)
                advance(1)
                if not kept.on_disk:
                    return
        finally:
            kept.commit()


def _read_in_order(larger: ResizedImages, rows: Sequence[int]) -> Generator[Image]:
    """Read samples in threads, or in processes where threads are of no use."""
    source = larger.source
    if not source.one_at_a_time:
        threads = decoding_threads()
        yield from map_ahead(larger.read_anew, rows, threads=threads, ahead=threads * _AHEAD)
        return
    items = read_in_order(
        lambda row: ("", larger.read_anew(row)), rows, larger.name_of, source.trust
    )
    with closing(items):
        yield from (pixels for _, pixels in items if pixels is not None)
