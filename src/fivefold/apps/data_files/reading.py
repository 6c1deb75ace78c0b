"""What commands read: a folder of classes, a table or a COCO file."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.errors import ConfigError, DataError, Problem
from fivefold.core.progress import Progress
from fivefold.data import CsvSource, FolderSource, ImageProblem, SampleTable, Source
from fivefold.data.coco import CocoSource, read_map
from fivefold.data.decode import read_bytes
from fivefold.data.packed import GatheredTexts, packed_digests
from fivefold.data.samples import table_of_all

Kind: TypeAlias = Literal["folder", "csv", "coco"]

_TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Reading:
    """How a table or a COCO file is to be read; None is found by looking, or left out.

    Attributes:
        images: Where paths start; the file's folder if not given.
        image_column: Of a table.
        label_column: Of a table.
        separator: Of a table: what stands between several labels in one cell.
        boxes_as_labels: Of a COCO file: boxes are labels of their images.
        category_map: Of a COCO file: a JSON file with the class of each category.
        level: Of a COCO file: how many supercategories up a class lies.
        background: Of a COCO file: the class that means "nothing".
    """

    images: Path | None = None
    image_column: str | None = None
    label_column: str | None = None
    separator: str | None = None
    boxes_as_labels: bool = False
    category_map: Path | None = None
    level: int = 0
    background: str | None = None

    def stray(self, kind: Kind) -> list[str]:
        """Name what was given and means nothing for a kind of data."""
        given = {name: value for name, value in vars(self).items() if value}
        return [name for name in given if kind not in _KINDS_OF[name]]


_KINDS_OF: Mapping[str, tuple[Kind, ...]] = {
    "images": ("csv", "coco"),
    "image_column": ("csv",),
    "label_column": ("csv",),
    "separator": ("csv",),
    "boxes_as_labels": ("coco",),
    "category_map": ("coco",),
    "level": ("coco",),
    "background": ("coco",),
}


@dataclass(frozen=True, eq=False)
class Opened:
    """Data that were opened.

    Attributes:
        path: What was named.
        kind: Which kind of data it is.
        source: Its samples.
        images_dir: Where their ids start.
        separator: What stands between labels in a table's cells, if anything does.
    """

    path: Path
    kind: Kind
    source: Source
    images_dir: Path
    separator: str | None = None

    @property
    def left_out(self) -> dict[str, int]:
        """Count what the listing left out, by rule."""
        found: dict[str, int] = {}
        for _, rule in self.source.excluded:
            found[rule] = found.get(rule, 0) + 1
        return dict(sorted(found.items()))


def open_data(path: Path, reading: Reading) -> Opened:
    """Open a folder of classes, a CSV table or a COCO file.

    Raises:
        ConfigError: If an option means nothing for this kind of data.
        DataError: If there is no such data, or it cannot be used.
        UnsafeInputError: If images lie outside of their folder.
    """
    kind = kind_of(path)
    if stray := reading.stray(kind):
        option = f"--{stray[0].replace('_', '-')}"
        message = f"expected no such option with {_WORDS[kind]}, got one"
        raise ConfigError([Problem("cli/stray-option", option, message, "leave it out")])
    images_dir = reading.images or path.parent
    if kind == "folder":
        return Opened(path, kind, FolderSource(path), path)
    if kind == "coco":
        return Opened(path, kind, _open_coco(path, images_dir, reading), images_dir)
    source = CsvSource(
        path,
        images_dir,
        image_column=reading.image_column,
        label_column=reading.label_column,
        separator=reading.separator,
    )
    return Opened(path, kind, source, images_dir, source.separators[0])


_WORDS = {"folder": "a folder", "csv": "a table", "coco": "a COCO file"}


def kind_of(path: Path) -> Kind:
    """Tell what kind of data a path is.

    Raises:
        DataError: If there is nothing, or a file of another kind.
    """
    if path.is_dir():
        return "folder"
    if path.suffix.casefold() == ".json":
        return "coco"
    if path.suffix.casefold() in _TABLES:
        return "csv"
    found = "another file" if path.exists() else "nothing there"
    msg = f"{path}: expected a folder of classes, a CSV table or a COCO file, got {found}"
    hint = "tables end with .csv, .tsv or .txt, COCO files with .json"
    raise DataError(msg, hint=hint, slug="data/not-data")


def _open_coco(path: Path, images_dir: Path, reading: Reading) -> Source:
    return CocoSource(
        path,
        images_dir,
        boxes="labels" if reading.boxes_as_labels else None,
        category_map=read_map(reading.category_map) if reading.category_map else None,
        level=reading.level,
        background=reading.background,
    )


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
