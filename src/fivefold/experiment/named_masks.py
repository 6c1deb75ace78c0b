"""Finds masks by looking at data: in folders, tables with run lengths and COCO files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data import ImageProblem, Source
from fivefold.data.coco import CocoMasks
from fivefold.data.coco.document import file_bytes
from fivefold.data.coco.labelled import check_document
from fivefold.data.csv_text import read_table
from fivefold.data.mask_colours import find_colours
from fivefold.data.mask_folder import MaskFolderSource
from fivefold.data.mask_looks import AskedClasses
from fivefold.data.mask_pairs import NO_MASK, Pairs, find_pairs
from fivefold.data.mask_values import Colour
from fivefold.data.parquet import read_parquet
from fivefold.data.rle import numbers_of
from fivefold.data.run_lengths import NOTHING, Form, RunLengthSource, Runs
from fivefold.data.text_table import Table, coded

_TABLES = (".csv", ".tsv", ".parquet")
_IMAGES = (
    "images",
    "image",
    "imgs",
    "img",
    "train_images",
    "train",
    "training",
    "input",
    "inputs",
    "photos",
    "pics",
    "jpegimages",
)
_MASKS = (
    "masks",
    "mask",
    "labels",
    "label",
    "train_masks",
    "train_mask",
    "trainannot",
    "annotations",
    "segmentations",
    "segmentation",
    "segmentationclass",
    "ground_truth",
    "groundtruth",
    "gt",
    "targets",
    "target",
    "seg",
)
_ENDS = ("_masks", "_mask", "-masks", "-mask", "_labels", "_label", "_gt", "_seg")
"""What the name of a folder of masks has behind that of its images."""
_RUNS = re.compile(r"(encoded_?pixels|rles?|rle_?masks?|mask_?rles?|masks?|segmentations?)$")
_CLASSES = re.compile(r"(class|class_?id|class_?name|label|labels|category|category_?id)$")
_OUTLINES = re.compile(rb'"segmentation"\s*:\s*(\[\s*\[|\{)')
_HEAD = 1 << 16
_GLANCES = 32
_FEWEST = 0.5  # of images that have a mask of their name
_LOOKED = 16


@dataclass(frozen=True)
class FoundMasks:
    """Data with masks.

    Attributes:
        source: Reads them.
        kind: "folders", "csv", "parquet" or "coco".
        paths: The files and folders, by the keys of `dataset` that name them.
        keys: Other keys of `dataset` with their values.
        told: What they are, in a few words.
        colours: The colour of each class, where that was found by looking.
    """

    source: Source
    kind: str
    paths: Mapping[str, Path]
    keys: Mapping[str, str | bool]
    told: str
    colours: Mapping[str, Colour] = field(default_factory=dict)


@dataclass(frozen=True)
class Hints:
    """What is known of data that may have masks; None is found by looking.

    Attributes:
        images: The folder of the images of a table or a COCO file.
        image_column: Of a table.
        encoding: Of a table in a file of text; UTF-8 if not given.
    """

    images: Path | None = None
    image_column: str | None = None
    encoding: str | None = None


NO_HINTS = Hints()


def find_masks(
    data: Path, hints: Hints = NO_HINTS, colours_for: Progress | None = None
) -> FoundMasks | None:
    """Find masks; None where data are something else.

    Args:
        data: A folder, a table or a COCO file.
        hints: What is known of it.
        colours_for: Who watches colours being taken for classes; None refuses colours.

    Raises:
        DataError: If data look like masks, and cannot be used.
    """
    if data.is_dir():
        return _folders(data, colours_for) if hints == NO_HINTS else None
    ending = data.suffix.casefold()
    if ending in _TABLES and data.is_file():
        return _table(data, hints)
    if ending == ".json" and data.is_file() and not (hints.image_column or hints.encoding):
        return _coco(data, hints)
    return None


def _folders(data: Path, colours_for: Progress | None) -> FoundMasks | None:
    found = find_mask_folders(data)
    if found is None:
        return None
    images, masks, pairs = found
    where = f"{images.name} and {masks.name}" if images != masks else images.name
    told = f"masks of the same names as their images, in {where}"
    paths = {"images": images, "masks": masks}
    try:
        return FoundMasks(MaskFolderSource(images, masks), "folders", paths, {}, told)
    except DataError as error:
        if error.slug != "data/mask-colours" or colours_for is None:
            raise
        colours = find_colours([masks / name for name in pairs.masks], colours_for)
        if colours is None:
            raise
    source = MaskFolderSource(images, masks, AskedClasses(colours.classes))
    source.notes = (*source.notes, colours.note)
    source.warnings = (*source.warnings, *filter(None, [colours.warning]))
    return FoundMasks(source, "folders", paths, {}, told, colours.classes)


def find_mask_folders(data: Path) -> tuple[Path, Path, Pairs] | None:
    """Find a folder of images and one of masks, and what belongs together; None without any.

    Both are looked for in a folder, by usual names such as `images` and `masks` or `train` and
    `train_mask`; else beside it, if it has images alone; else in it, where masks are called as
    their images with `_mask` behind. At least half of the images must have a mask. No file is read.
    """
    for images, masks in _candidates(data):
        try:
            pairs = find_pairs(images, masks)
        except DataError:  # no pairs: these are no images and masks
            continue
        if images == masks and len(pairs.images) < 2:
            continue
        lonely = sum(rule == NO_MASK for _, rule in pairs.excluded)
        if len(pairs.images) >= _FEWEST * (len(pairs.images) + lonely):
            return images, masks, pairs
    return None


def _candidates(data: Path) -> Iterator[tuple[Path, Path]]:
    """Name pairs of folders that may be images and masks, the likeliest first."""
    entries = sorted(entry for entry in data.iterdir() if entry.is_dir())
    by_name = {entry.name.casefold(): entry for entry in reversed(entries)}
    yield from _beside(by_name, by_name)
    images = [by_name[name] for name in _IMAGES if name in by_name]
    masks = [by_name[name] for name in _MASKS if name in by_name]
    yield from ((one, other) for one in images for other in masks if one != other)
    if entries:
        return
    around = [entry for entry in sorted(data.resolve().parent.iterdir()) if entry.is_dir()]
    own = {data.name.casefold(): data}
    yield from _beside(own, {entry.name.casefold(): entry for entry in around})
    yield data, data


def _beside(images: Mapping[str, Path], folders: Mapping[str, Path]) -> Iterator[tuple[Path, Path]]:
    """Name folders whose names are those of others with a usual end."""
    for name, images_dir in images.items():
        yield from ((images_dir, folders[name + e]) for e in _ENDS if name + e in folders)


def _table(data: Path, hints: Hints) -> FoundMasks | None:
    is_parquet = data.suffix.casefold() == ".parquet"
    if not is_parquet and not _names_runs(data):
        return None
    table = read_parquet(data) if is_parquet else read_table(data, encoding=hints.encoding or "")
    column = next((c for k, c in enumerate(table.columns) if _is_rle(table, k)), None)
    if column is None:
        return None
    classes, image = _class_column(table, column)
    runs = Runs(column, classes)
    folder, source = _nearest(data, table, runs, hints, hints.image_column or image)
    runs = replace(runs, form=_form_of(table, column, source))
    image_column = source.image_column
    source = RunLengthSource(table, folder, runs, {"image_column": image_column})
    keys: dict[str, str | bool] = {"image_column": image_column, "rle_column": column}
    keys |= {"class_column": classes} if classes else {}
    keys |= {"rle": runs.form} if runs.form != "columns" else {}
    keys |= {"encoding": hints.encoding} if hints.encoding else {}
    kind = "parquet" if is_parquet else "csv"
    told = f"masks in run lengths in the column {column!r}, {_FORMS[runs.form]}"
    return FoundMasks(source, kind, {kind: data, "images": folder}, keys, told)


_FORMS: Mapping[Form, str] = {
    "columns": "counted down the columns",
    "rows": "counted along the rows",
    "relative": "as gaps and lengths",
}


def _names_runs(data: Path) -> bool:
    """Tell whether the first line of a table names run lengths; millions of rows may follow."""
    try:
        with data.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:  # who reads it as a table of labels says what is wrong
        return False
    text = head.decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff\r\n ")
    names = re.split(r'[,;\t"]', text.split("\n", 1)[0].casefold())
    return any(_RUNS.search(name.strip()) for name in names)


def _is_rle(table: Table, k: int) -> bool:
    """Tell whether a column holds run lengths: by its name, and by all cells that are looked at."""
    if not _RUNS.search(table.columns[k].casefold()):
        return False
    cells = [cell for cell in coded(table.cells[k]).names if not _is_nothing(cell)]
    return bool(cells) and all(_pairs(cells[i]) is not None for i in _some(len(cells)))


def _is_nothing(cell: str) -> bool:
    return cell.strip().casefold() in NOTHING


def _pairs(cell: str) -> AnyArray | None:
    try:
        return numbers_of(cell)
    except DataError:
        return None


def _class_column(table: Table, rle: str) -> tuple[str | None, str | None]:
    """Find the columns of classes and of images; one that is two, such as `ImageId_ClassId`."""
    for column in table.columns:
        parts = column.split("_")
        if len(parts) == 2 and all(parts) and parts[1].casefold() in ("classid", "class", "label"):
            return parts[1], parts[0]
    plain = [c for c in table.columns if c != rle and _CLASSES.match(c.casefold())]
    return (plain[0] if plain else None), None


def _nearest(
    data: Path, table: Table, runs: Runs, hints: Hints, image: str | None
) -> tuple[Path, RunLengthSource]:
    """Open a table with the folder in which most of its first images are.

    Raises:
        DataError: If none are found.
    """
    beside = sorted(entry for entry in data.parent.iterdir() if entry.is_dir())
    folders = [hints.images] if hints.images else [data.parent, *beside]
    opened = [(f, RunLengthSource(table, f, runs, {"image_column": image})) for f in folders]
    found = [sum(bool(s.stamp(i)) for i in _some(len(s))) for _, s in opened]
    if not max(found, default=0):
        msg = f"{data}: expected its images in {hints.images or data.parent}, found none of them"
        hint = "say where they are: --images DIR"
        raise DataError(msg, hint=hint, slug="data/images-not-found")
    return opened[int(np.argmax(found))]


def _form_of(table: Table, column: str, source: RunLengthSource) -> Form:
    """Find how pixels are numbered: by starts that go back, else by what gives shapes fewer edges.

    Along the wrong axis a shape falls into stripes.
    """
    cells = [c for c in coded(table.cells[table.columns.index(column)]).names if not _is_nothing(c)]
    some = [_pairs(cells[i]) for i in _some(len(cells))]
    if any(pairs is not None and (np.diff(pairs[:, 0]) <= 0).any() for pairs in some):
        return "relative"
    edges: dict[Form, int] = {"columns": 0, "rows": 0}
    positive = [i for i in range(len(source)) if source.is_positive(i)]
    for i in (positive[k] for k in _some(len(positive))[:_LOOKED]):
        for form in edges:
            try:
                edges[form] += _edges(source.reading(form).mask(i))
            except ImageProblem:  # the audit says what is wrong with it
                continue
    return min(edges, key=edges.__getitem__)


def _edges(mask: AnyArray) -> int:
    flat = mask.astype(np.int16)
    return sum(int(np.count_nonzero(np.diff(flat, axis=axis))) for axis in (0, 1))


def _coco(data: Path, hints: Hints) -> FoundMasks | None:
    if not _OUTLINES.search(file_bytes(data)):
        return None
    document = check_document(data)
    outlined = sum(a.segmentation is not None for a in document.annotations)
    if not document.annotations or outlined < _FEWEST * len(document.annotations):
        return None
    beside = sorted(entry for entry in data.parent.iterdir() if entry.is_dir())
    folders: Sequence[Path] = [hints.images] if hints.images else [data.parent, *beside]
    opened = CocoMasks(data, folders[0])
    found = [_present(opened if f == folders[0] else CocoMasks(data, f)) for f in folders]
    if not max(found):
        msg = f"{data}: expected its images in {hints.images or data.parent}, found none of them"
        hint = "say where they are: --images DIR"
        raise DataError(msg, hint=hint, slug="data/images-not-found")
    folder = folders[int(np.argmax(found))]
    told = "masks drawn from the polygons and run lengths of a COCO file"
    paths = {"coco": data, "images": folder}
    return FoundMasks(CocoMasks(data, folder), "coco", paths, {"masks": True}, told)


def _present(source: Source) -> int:
    return sum(bool(source.stamp(i)) for i in _some(len(source)))


def _some(total: int) -> list[int]:
    """Choose some positions, evenly."""
    return sorted({int(i) for i in np.linspace(0, total - 1, min(total, _GLANCES))})
