"""What commands read of data: the texts of their labels, and which images are copies."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.progress import Progress
from fivefold.data import ImageProblem, SampleTable, Source
from fivefold.data.decode import read_bytes
from fivefold.data.packed import GatheredTexts, packed_digests
from fivefold.data.samples import table_of_all


def labels_of(source: Source, separator: str) -> Iterator[str]:
    """Write each sample's classes as the text of a cell."""
    names = source.labels[0].class_names
    for k in range(len(source)):
        target = source.target(k)
        true: Sequence[int] = [] if target is None else np.flatnonzero(target).tolist()
        yield separator.join(names[c] for c in true)


def file_name(sample_id: str, path: str) -> str:
    """Name an image's file below the folder of images: an id of a table may lack the ending."""
    return sample_id if path.endswith(sample_id) else sample_id + Path(path).suffix


def table_with_copies(source: Source, progress: Progress) -> tuple[SampleTable, int]:
    """Read the bytes of all images, so that exact copies can stay together.

    Returns:
        The samples, and how many could not be read and have no copies therefore.
    """
    unreadable, digests = 0, GatheredTexts(packed_digests)
    threads = decoding_threads()
    paths = (source.path(k) for k in range(len(source)))
    found = map_ahead(_digest, paths, threads=threads, ahead=4 * threads)
    with progress.bar("looking for copies", len(source)) as advance, closing(found):
        for sample_id, digest in zip(source.sample_ids, found, strict=True):
            advance(1)
            unreadable += digest is None
            digests.add(digest or _own_digest(sample_id))
    return table_of_all(source, digests.done()), unreadable


def table_without_copies(source: Source) -> SampleTable:
    """Take every image for one of its own, without reading any."""
    digests = GatheredTexts(packed_digests)
    for sample_id in source.sample_ids:
        digests.add(_own_digest(sample_id))
    return table_of_all(source, digests.done())


def _own_digest(sample_id: str) -> str:
    """Make a digest that no other sample has."""
    return hashlib.sha256(f"id {sample_id}".encode("utf-8", "surrogatepass")).hexdigest()


def _digest(path: str) -> str | None:
    try:
        return hashlib.sha256(read_bytes(Path(path))).hexdigest()
    except ImageProblem:  # counted by the caller
        return None
