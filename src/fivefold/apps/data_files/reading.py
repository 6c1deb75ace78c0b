"""What commands read of data: the texts of their labels, and which images are copies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fivefold.core.progress import Progress
from fivefold.data import SampleTable, Source
from fivefold.data.near import DISTANCE
from fivefold.data.near.reading import own_digest, read_contents, read_digests
from fivefold.data.near.ties import tied
from fivefold.data.packed import GatheredTexts, packed_digests
from fivefold.data.samples import table_of_all
from fivefold.data.unread import Unread


def labels_of(source: Source, separator: str) -> Iterator[str]:
    """Write each sample's classes as the text of a cell."""
    names = source.labels[0].class_names
    for k in range(len(source)):
        target = source.target(k)
        true: Sequence[int] = [] if target is None else np.flatnonzero(target).tolist()
        yield separator.join(names[c] for c in true)


def file_name(sample_id: str, path: str) -> str:
    """Name an image's file below the folder of images: an id of a table may lack the ending."""
    file = Path(path)
    return sample_id if file.name == Path(sample_id).name else sample_id + file.suffix


def table_with_copies(source: Source, progress: Progress) -> tuple[SampleTable, Unread]:
    """Read all images, so that exact copies and near duplicates can stay together.

    Returns:
        The samples, and those that could not be read and have no copies therefore.
    """
    contents = read_contents(source, progress)
    table = table_of_all(source, contents.digests)
    return tied(table, contents.firsts(table, DISTANCE)), contents.unread


def table_with_exact_copies(source: Source, progress: Progress) -> tuple[SampleTable, Unread]:
    """Read all files without decoding them, so that exact copies can stay together.

    Returns:
        As `table_with_copies`.
    """
    contents = read_digests(source, progress)
    return table_of_all(source, contents.digests), contents.unread


def table_without_copies(source: Source) -> SampleTable:
    """Take every image for one of its own, without reading any."""
    digests = GatheredTexts(packed_digests)
    for sample_id in source.sample_ids:
        digests.add(own_digest(sample_id))
    return table_of_all(source, digests.done())
