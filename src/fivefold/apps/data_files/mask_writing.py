"""Images with masks as folders, as a table of run lengths, or as a COCO file."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from fivefold.apps.data_files.folder_writing import check_new_folder, new_folder
from fivefold.apps.data_files.reading import file_name
from fivefold.apps.data_files.sections import section_for
from fivefold.apps.data_files.writing import RowFile
from fivefold.core.durable import Streamed, resource_error
from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, MaskKind
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray, Image
from fivefold.data import ImageProblem, Source
from fivefold.data.coco.outlines import counts_of_plane, text_of_counts
from fivefold.data.mask_looks import BACKGROUND
from fivefold.data.rle import rle_encode
from fivefold.experiment.named_data import Opened

_COLUMNS = ("image", "class", "rle")
_INFO = {"description": "masks of images, in run lengths"}
_FOLDERS = ("images", "masks")


@dataclass(frozen=True)
class WrittenMasks:
    """What was written.

    Attributes:
        images: How many images.
        section: The `dataset` section that reads it, and the `activation` that goes with it.
        warnings: What a user should know.
    """

    images: int
    section: str
    warnings: tuple[str, ...]


class _Masks:
    """Masks of some samples, one after the other.

    Args:
        opened: The data.
        keep: Which samples, as a mask [N].
        progress: Who watches.

    Attributes:
        kind: How they are written.
        names: The classes that are drawn, without a background.
        rows: Positions of the samples.
        ignored: How many masks had pixels that do not count.
    """

    def __init__(self, opened: Opened, keep: AnyArray, progress: Progress) -> None:
        self._opened, self._progress = opened, progress
        self.source, self.ignored = opened.source, 0
        self.kind = _kind_of(opened.source)
        names = opened.source.labels[0].class_names
        self.background = names[0] if self.kind.exclusive else None
        self.names = names[1:] if self.kind.exclusive else names
        self.rows = np.flatnonzero(keep).tolist()

    def __iter__(self) -> Iterator[tuple[int, Image]]:
        with self._progress.bar("masks", len(self.rows)) as advance:
            for k in self.rows:
                yield k, self._mask(k)
                advance(1)

    def planes(self, mask: Image) -> list[AnyArray]:
        """Split a mask into planes [H, W] of the classes that are drawn."""
        if self.kind.exclusive:
            return [mask[:, :, 0] == number for number in range(1, self.kind.num_classes)]
        return [mask[:, :, number] == 1 for number in range(self.kind.planes)]

    def _mask(self, k: int) -> Image:
        try:
            mask = self.source.mask(k)
        except ImageProblem as problem:
            where = f"{self._opened.path}: {self.source.name_of(k)}"
            msg = f"{where}: expected a usable mask, got {problem.reason}: {problem.detail}"
            hint = "`fivefold data check` lists what cannot be used: take it out first"
            raise DataError(msg, hint=hint, slug="data/unwritten-mask") from problem
        self.ignored += bool((mask == IGNORED).any())
        return mask

    @property
    def other_background(self) -> str | None:
        """The name of the background where it is not the usual one."""
        return None if self.background == BACKGROUND else self.background

    def name(self, k: int) -> str:
        """Name a sample's file below the folder of images."""
        return file_name(self.source.sample_ids[k], self.source.path(k))


def write_masks(
    opened: Opened, keep: AnyArray, output: Path, kind: str, progress: Progress
) -> WrittenMasks:
    """Write images with masks as what the output's name says.

    Args:
        opened: The data.
        keep: Which samples, as a mask [N].
        output: A table of run lengths, a COCO file, or a new folder with `images` and `masks`.
        kind: "csv", "coco" or "folder".
        progress: Who watches.

    Raises:
        ConfigError: If the folder is there already.
        DataError: If a mask cannot be read, or not be written so that it could be read back.
        ResourceError: If the disk is full, read-only or failing; there is then nothing new.
    """
    masks = _Masks(opened, keep, progress)
    write = {"csv": _write_table, "coco": _write_coco, "folder": _write_folder}[kind]
    section = write(opened, masks, output)
    activation = "softmax" if masks.kind.exclusive else "sigmoid"
    ignored = f"{masks.ignored:,} masks have pixels that do not count, which run lengths in a "
    ignored += "table cannot say: they are written as showing nothing"
    warnings = (ignored,) if masks.ignored and kind == "csv" else ()
    return WrittenMasks(len(masks.rows), f"{section}\nactivation: {activation}", warnings)


def _write_table(opened: Opened, masks: _Masks, output: Path) -> str:
    """Write a row for each class that an image shows, or one without runs."""
    several = len(masks.names) > 1
    header = _COLUMNS if several else (_COLUMNS[0], _COLUMNS[2])
    with RowFile(output, header) as file:
        for k, mask in masks:
            texts = [rle_encode(plane) for plane in masks.planes(mask)]
            shown = [(n, text) for n, text in zip(masks.names, texts, strict=True) if text]
            for name, text in shown or [(masks.names[0], "")]:
                row = (masks.name(k), name, text)
                file.add(row if several else (row[0], text))
        file.commit()
    class_column = _COLUMNS[1] if several else None
    return section_for(
        "csv",
        output,
        opened.images_dir,
        image_column=_COLUMNS[0],
        rle_column=_COLUMNS[2],
        class_column=class_column,
        background=masks.other_background,
    )


def _write_coco(opened: Opened, masks: _Masks, output: Path) -> str:
    """Write an annotation for each class that an image shows, and a crowd for what is ignored."""
    try:
        with Streamed(output.parent) as streamed:
            images: list[dict[str, Any]] = []
            file, comma = streamed.file, ""
            file.write(f'{{"info": {json.dumps(_INFO)},\n"annotations": ['.encode())
            number = 0
            for k, mask in masks:
                size = {"height": mask.shape[0], "width": mask.shape[1]}
                images.append({"id": len(images) + 1, "file_name": masks.name(k), **size})
                for entry in _annotations(masks, mask):
                    number += 1
                    ids = {"id": number, "image_id": len(images)}
                    text = json.dumps({**ids, **entry}, ensure_ascii=False)
                    file.write(f"{comma}\n{text}".encode())
                    comma = ","
            categories = [{"id": c, "name": name} for c, name in enumerate(masks.names, 1)]
            for key, entries in (("categories", categories), ("images", images)):
                lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
                file.write(f'],\n"{key}": [\n{lines}'.encode())
            file.write(b"]}\n")
            streamed.commit(output)
    except OSError as error:
        raise resource_error(output, error) from error
    except UnicodeEncodeError as error:
        msg = f"{opened.path}: expected names in UTF-8, got {error.object[:80]!r}"
        hint = "rename the file: neither a table nor JSON can name it"
        raise DataError(msg, hint=hint, slug="data/name-not-text") from error
    background = masks.other_background
    return section_for("coco", output, opened.images_dir, masks=True, background=background)


def _annotations(masks: _Masks, mask: Image) -> Iterator[dict[str, Any]]:
    for category, plane in enumerate(masks.planes(mask), 1):
        if plane.any():
            yield {"category_id": category, "iscrowd": 0, **_runs(plane)}
    if masks.kind.exclusive:
        ignored = [mask[:, :, 0] == IGNORED]  # of whatever class: it is ignored for all
    else:
        ignored = [mask[:, :, number] == IGNORED for number in range(masks.kind.planes)]
    for category, plane in enumerate(ignored, 1):
        if plane.any():
            yield {"category_id": category, "iscrowd": 1, **_runs(plane)}


def _runs(plane: AnyArray) -> dict[str, Any]:
    rows, columns = (np.flatnonzero(plane.any(axis=axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    size = [int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    counts = text_of_counts(counts_of_plane(plane))
    segmentation = {"size": [int(side) for side in plane.shape], "counts": counts}
    area = int(np.count_nonzero(plane))
    return {"area": area, "bbox": [left, top, *size], "segmentation": segmentation}


def _write_folder(opened: Opened, masks: _Masks, output: Path) -> str:
    """Copy images, and write each mask as a PNG of numbers."""
    check_new_folder(output, opened.images_dir)
    with new_folder(output) as folder:
        stems: set[str] = set()
        for k, mask in masks:
            name = masks.name(k)
            stem = name.rpartition(".")[0] or name
            if stem in stems:
                msg = f"{opened.path}: expected one image of each name, got {stem!r} twice"
                raise DataError(msg, hint="rename one of them", slug="data/duplicate-id")
            stems.add(stem)
            places = [folder / _FOLDERS[0] / name, folder / _FOLDERS[1] / f"{stem}.png"]
            for place in places:
                place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(masks.source.path(k), places[0])
            places[1].write_bytes(_png(_numbers(opened, masks, k, mask)))
    own = [output / name for name in _FOLDERS]
    names = (masks.background, *masks.names) if masks.background else masks.names
    return section_for("images", own[0], masks=f"{output.name}/{_FOLDERS[1]}", mask_classes=names)


def _numbers(opened: Opened, masks: _Masks, k: int, mask: Image) -> Image:
    """Write a mask as numbers [H, W]: 0 for nothing, and 255 for what is ignored.

    Raises:
        DataError: If classes overlap.
    """
    if masks.kind.exclusive:
        return mask[:, :, 0]
    if ((mask == 1).sum(axis=2) > 1).any():
        where = f"{opened.path}: {masks.source.sample_ids[k]}"
        msg = f"{where}: expected one class for each pixel of a picture, got several"
        hint = "write a table or a COCO file: they can hold masks that overlap"
        raise DataError(msg, hint=hint, slug="data/several-labels")
    numbers: Image = ((mask == 1) * np.arange(1, masks.kind.planes + 1)).sum(axis=2)
    numbers[(mask == IGNORED).any(axis=2)] = IGNORED
    return numbers.astype(np.uint8)


def _png(numbers: Image) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(numbers).save(file, "PNG")
    return file.getvalue()


def _kind_of(source: Source) -> MaskKind:
    if source.masks is None:
        msg = "expected data with masks, got data without"
        raise DataError(msg, slug="data/unwritten-mask")
    return source.masks
