"""A folder of predicted masks, each written as soon as it is made, and the table of them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from fivefold.apps.mask_files.naming import file_stems, folder_names
from fivefold.apps.mask_files.pictures import palette_png, png, shown_over
from fivefold.core.durable import Streamed, resource_error, write_bytes
from fivefold.core.masks import MaskKind
from fivefold.core.types import Floats, Head, Image
from fivefold.data.rle import rle_encode
from fivefold.engine.overlays import shown_classes
from fivefold.evaluation.tables import csv_bytes
from fivefold.experiment.predicted_masks import Mask, PredictedMask, PredictedMasks

MapFormat: TypeAlias = Literal["npy", "png"]

TABLE = "masks.csv"
_HEADER = ("id", "class", "rle", "pixels", "probability", "height", "width")


@dataclass(frozen=True)
class Wanted:
    """What is written beside masks and their table.

    Attributes:
        maps: Probabilities as `npy`, float32 [H, W, K], or as `png`, a grey picture for each class
            with 255 for 1; None for none.
        overlays: Pictures of the masks over the images.
    """

    maps: MapFormat | None = None
    overlays: bool = False


@dataclass
class Written:
    """What was written.

    Attributes:
        images: How many have a mask.
        empty: How many of them show none of the classes.
    """

    images: int = 0
    empty: int = 0


def write_masks(found: PredictedMasks, output: Path, wanted: Wanted) -> Written:
    """Predict masks and write them.

    `masks/` has a PNG for each image, called like the image: of one class 0 and 255; of exclusive
    classes their numbers, in colours; of several classes that may overlap a folder for each class,
    with 0 and 255. The table has a row for each image and class but the background: id, class, the
    mask as run lengths, how many pixels it has, the mean probability of the class over them, and
    the image's height and width. Whatever ends it early, an interrupt too, leaves what was written
    and the table of that.

    Args:
        found: The masks.
        output: The folder.
        wanted: What else is written.

    Raises:
        DataError: If there is nothing to predict.
        ResourceError: If the disk is full, read-only or failing.
    """
    written = Written()
    with ExitStack() as stack:
        table = stack.enter_context(_Table(output / TABLE))
        files = _Files(output, found.head, dict(zip(found.ids, file_stems(found.ids), strict=True)))
        for one in found:
            mask = files.write(one, wanted)
            table.add(one, mask)
            written.images += 1
            written.empty += not any(mask.counts[k] for k in shown_classes(mask.kind))
    return written


class _Table:
    """The table, which gets its name at the end, whole as far as it has come."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows = path, 0
        try:
            self._streamed = Streamed(path.parent)
        except OSError as error:
            raise resource_error(path, error) from error

    def __enter__(self) -> "_Table":
        self._write([_HEADER])
        return self

    def __exit__(self, *_: object) -> None:
        if self._rows:
            self._streamed.commit(self._path)
        self._streamed.discard()

    def add(self, one: PredictedMask, mask: Mask) -> None:
        rows = []
        for k in shown_classes(mask.kind):
            sure = f"{mask.sureness[k]:.6f}" if mask.counts[k] else ""
            text = rle_encode(mask.plane(k))
            name = one.head.class_names[k]
            rows.append((one.sample_id, name, text, int(mask.counts[k]), sure, *one.size))
        self._write(rows)
        self._rows += len(rows)

    def _write(self, rows: Sequence[Sequence[object]]) -> None:
        try:
            self._streamed.file.write(csv_bytes(rows))
        except OSError as error:
            raise resource_error(self._path, error) from error


class _Files:
    """The files of single images.

    Args:
        output: The folder.
        head: What the classes are.
        stems: What the files of each sample are called.
    """

    def __init__(self, output: Path, head: Head, stems: dict[str, str]) -> None:
        self._output, self._stems = output, stems
        self._kind = MaskKind.of_head(head)
        several = not self._kind.exclusive and head.num_classes > 1
        names = folder_names(head.class_names)
        self._parts = [f"{name}/" for name in names] if several else [""]
        self._class_parts = [f"{name}/" for name in names] if head.num_classes > 1 else [""]

    def write(self, one: PredictedMask, wanted: Wanted) -> Mask:
        """Write all files of an image; gives its mask."""
        stem = self._stems[one.sample_id]
        with ExitStack() as stack:
            see = self._maps(one, stem, wanted.maps, stack)
            mask = one.decide(see)
        if self._kind.exclusive:
            self._put("masks", f"{stem}.png", palette_png(mask.pixels[..., 0]))
        else:
            for k, part in enumerate(self._parts):
                picture = png(mask.pixels[..., k] * np.uint8(255))
                self._put("masks", f"{part}{stem}.png", picture)
        if wanted.overlays:
            picture = shown_over(one.original(), mask, one.head.class_names)
            self._put("overlays", f"{stem}.png", picture)
        return mask

    def _maps(
        self, one: PredictedMask, stem: str, wanted: MapFormat | None, stack: ExitStack
    ) -> Callable[[Floats], object] | None:
        """Make what takes an image's probabilities as they come."""
        if wanted is None:
            return None
        if wanted == "npy":
            path = self._output / "maps" / f"{stem}.npy"
            return stack.enter_context(_Npy(path, (*one.size, one.head.num_classes))).add
        levels = np.empty((one.head.num_classes, *one.size), dtype=np.uint8)
        stack.callback(self._put_levels, stem, levels)
        return partial(_fill, levels, [0])

    def _put_levels(self, stem: str, levels: Image) -> None:
        for part, plane in zip(self._class_parts, levels, strict=True):
            self._put("maps", f"{part}{stem}.png", png(plane))

    def _put(self, folder: str, name: str, data: bytes) -> None:
        write_bytes(self._output / folder / name, data)


class _Npy:
    """An array that is written row by row, as `numpy.save` writes it."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path, self._shape = path, shape
        try:
            self._streamed = Streamed(path.parent)
        except OSError as error:
            raise resource_error(path, error) from error

    def __enter__(self) -> "_Npy":
        about = {"descr": "<f4", "fortran_order": False, "shape": self._shape}
        np.lib.format.write_array_header_1_0(self._streamed.file, about)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._streamed.commit(self._path)
        self._streamed.discard()

    def add(self, rows: Floats) -> None:
        """Write some rows [n, W, K]."""
        try:
            self._streamed.file.write(np.ascontiguousarray(rows, dtype="<f4").data)
        except OSError as error:
            raise resource_error(self._path, error) from error


def _fill(levels: Image, top: list[int], rows: Floats) -> None:
    """Round the next rows [n, W, K] into planes [K, H, W]."""
    end = top[0] + len(rows)
    levels[:, top[0] : end] = np.moveaxis(np.rint(rows * 255), 2, 0)
    top[0] = end
