"""COCO files as they are written: one entry a line, so that a message can name it."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import compress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fivefold.apps.data_files.reading import file_name
from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.durable import Streamed, resource_error
from fivefold.core.errors import DataError
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data import ImageProblem
from fivefold.data.decode import read_header
from fivefold.data.source import Labels
from fivefold.experiment.named_data import Opened

_WHOLE = {"bbox": [0, 0, 0, 0], "area": 0, "iscrowd": 0, "segmentation": []}
"""What says that an annotation is about the whole image."""
INFO = {"description": "labels of whole images"}
"""What a written file says of itself."""


def write_coco(
    opened: Opened, labels: Labels, keep: AnyArray, output: Path, progress: Progress
) -> int:
    """Write labels of whole images as a COCO file; ids count from 1.

    Args:
        opened: The data.
        labels: Their classes.
        keep: Which samples, as a mask [N].
        output: The file.
        progress: Who watches.

    Returns:
        How many images there are.

    Raises:
        DataError: If the name of an image or a class is no text.
        ResourceError: If the disk is full, read-only or failing; there is then no new file.
    """
    for name in labels.class_names:
        _check_text(opened, name)
    rows = np.flatnonzero(keep).tolist()
    categories = (
        {"id": number, "name": name, "supercategory": ""}
        for number, name in enumerate(labels.class_names, 1)
    )
    try:
        with Streamed(output.parent) as streamed, progress.bar("sizes", len(rows)) as advance:
            file = streamed.file
            file.write(f'{{"info": {json.dumps(INFO)},\n"licenses": [],\n'.encode())
            _write_list(file, "categories", categories, b",\n")
            _write_list(file, "images", _images(opened, rows, advance), b",\n")
            _write_list(file, "annotations", _annotations(opened, rows), b"}\n")
            streamed.commit(output)
    except OSError as error:
        raise resource_error(output, error) from error
    return len(rows)


def _write_list(file: BinaryIO, name: str, entries: Iterator[dict[str, Any]], end: bytes) -> None:
    file.write(f'"{name}": ['.encode())
    for number, entry in enumerate(entries):
        text = json.dumps(entry, ensure_ascii=False)
        file.write((",\n" if number else "\n").encode() + text.encode("utf-8"))
    file.write(b"]" + end)


def _images(opened: Opened, rows: list[int], advance: Any) -> Iterator[dict[str, Any]]:
    ids, source = opened.source.sample_ids, opened.source
    threads = decoding_threads()
    paths = (source.path(k) for k in rows)
    with closing(map_ahead(_size_of, paths, threads=threads, ahead=8 * threads)) as sizes:
        for number, (k, size) in enumerate(zip(rows, sizes, strict=True), 1):
            advance(1)
            _check_text(opened, ids[k])
            entry: dict[str, Any] = {"id": number, "file_name": file_name(ids[k], source.path(k))}
            yield entry if size is None else {**entry, "width": size[1], "height": size[0]}


def _size_of(path: str) -> tuple[int, int] | None:
    """Read an image's height and width, upright; None where it cannot be read."""
    try:
        header = read_header(Path(path))
    except ImageProblem:  # COCO may leave sizes out, and training tells what is wrong
        return None
    return header.height, header.width


def _annotations(opened: Opened, rows: list[int]) -> Iterator[dict[str, Any]]:
    number = 0
    for image, k in enumerate(rows, 1):
        target = opened.source.target(k)
        true = () if target is None else compress(range(1, len(target) + 1), target > 0)
        for category in true:
            number += 1
            yield {"id": number, "image_id": image, "category_id": category, **_WHOLE}


def _check_text(opened: Opened, name: str) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        msg = f"{opened.path}: expected names in UTF-8, got {name!r}"
        hint = "rename the file: neither a table nor JSON can name it"
        raise DataError(msg, hint=hint, slug="data/name-not-text") from error
