"""Musket's data sets of images with masks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import MaskKind, as_nearest, empty_mask
from fivefold.core.types import AnyArray, Floats, Image
from fivefold.data.columns import find_image_column
from fivefold.data.csv_text import read_table
from fivefold.data.datasets.paths import SourceDataSet, found_path
from fivefold.data.datasets.tables import Folders
from fivefold.data.drawn_masks import DrawnMasks, kind_and_labels
from fivefold.data.files import FileSource, FilesSource, check_folder, list_files
from fivefold.data.mask_folder import MaskFiles
from fivefold.data.mask_looks import FOREGROUND
from fivefold.data.named_files import paths_in
from fivefold.data.run_lengths import Form, RunLengthSource, Runs, encoded, with_parts
from fivefold.data.source import Source
from fivefold.data.text_table import Table

_NOTHING = {"columns": "", "rows": "", "relative": "-1"}
"""What is written where nothing is, as the competitions ask for it."""


class SimplePNGMaskDataSet(SourceDataSet):
    """Images of a folder with masks of the same names in another; `y` is [H, W, 1].

    Masks are read as `dataset: {images: …, masks: …}` reads them: of two values the higher one is
    the class, and masks of several numbers have a class for each.

    Args:
        path: The folder of the images.
        mask: The folder of the masks.
        detect_exts: Whatever it says, images of any ending are found.
        in_ext: The ending to prefer where images of one name have several.
        out_ext: That of masks, likewise.
        generate: Give masks that show nothing; then no folder of them is needed.
        list: The names of the images to take, without endings; all if not given.

    Raises:
        DataError: If no image has a mask.
    """

    def __init__(
        self,
        path: Path | str,
        mask: Path | str,
        detect_exts: bool = False,
        in_ext: str = "jpg",
        out_ext: str = "png",
        generate: bool = False,
        list: Sequence[str] | None = None,
    ) -> None:
        images, masks = found_path(path), found_path(mask)
        self.path, self.mask = images, masks
        found = _by_stem(images, "" if detect_exts else in_ext)
        ids = tuple(found) if list is None else tuple(map(str, list))
        paths = [images / found.get(name, f"{name}.{in_ext}") for name in ids]
        if generate:
            super().__init__(EmptyMasks(FileSource(ids, paths)), name=images.name)
            return
        known = _by_stem(masks, out_ext)
        if not any(name in known for name in ids):
            first = f", such as {ids[0]!r}" if ids else ""
            msg = f"{masks}: expected masks of the images in {images}, got none for {len(ids):,} "
            msg += f"images{first}"
            hint = "an image and its mask have the same name, whatever they end in"
            raise DataError(msg, hint=hint, slug="data/mask-pairs")
        names = [known.get(name, f"{name}.{out_ext}") for name in ids]
        super().__init__(MaskFiles(ids, paths, masks, names), name=images.name)


class BinarySegmentationDataSet(SourceDataSet):
    """A table with masks of one class in run lengths; `y` is [H, W, 1].

    An image may have several rows; its mask is all of them together, and `get_masks(id)` gives
    the connected parts of it.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, with or without ending.
        rleColumn: The column of run-length texts; empty, NaN and -1 show nothing. Without it the
            images have no masks.
        maskShape: Height and width that texts are written for; the image's own if not given.
        rMask: Whether texts go down the columns, as on Kaggle; else along the rows.
        isRel: Whether they are pairs of gap and length, down the columns.
        len: How many images count; -1 for all.

    Attributes:
        imColumn: The column of file names.
        rleColumn: The column of run-length texts.
        maskShape: Height and width that texts are written for, or None.
    """

    clazzColumn: str | None = None

    def __init__(  # noqa: PLR0913  Musket's signature
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        rleColumn: str | None = None,
        maskShape: Sequence[int] | None = None,
        rMask: bool = True,
        isRel: bool = False,
        len: int = -1,
    ) -> None:
        self.imColumn, self.rleColumn, self.maskShape = imColumn, rleColumn, maskShape
        self.form: Form = "relative" if isRel else "columns" if rMask else "rows"
        path = found_path(csvPath)
        self.splitColumn, table = "", read_table(path, fallback="cp1251")
        if imColumn not in table.columns:
            whole = with_parts(table, [imColumn])
            added = set(whole.columns) - set(table.columns)
            joined = [c for c in table.columns if added and added <= set(c.split("_"))]
            self.splitColumn, table = next(iter(joined), ""), whole
        given = [imagePath] if isinstance(imagePath, str | Path) else imagePath
        source = self._opened(_shortened(table, imColumn, len), [found_path(f) for f in given])
        super().__init__(source, name=path.stem)
        labels = source.labels
        self.classes = labels[0].class_names if labels else ()

    def _opened(self, table: Table, folders: list[Path]) -> Source:
        if self.rleColumn is None:
            for folder in folders:
                check_folder(folder)
            image = find_image_column(table.path, table, self.imColumn, folders[0], None)
            ids = list(dict.fromkeys(filter(None, map(str.strip, table.cells[image]))))
            return FileSource(ids, paths_in(folders, ids))
        shape = None if self.maskShape is None else (self.maskShape[0], self.maskShape[1])
        runs = Runs(self.rleColumn, self.clazzColumn, self.form, shape)
        return RunLengthSource(table, folders, runs, {"image_column": self.imColumn})

    def encode(
        self,
        item: Any,
        encode_y: bool = False,
        treshold: float = 0.5,
    ) -> dict[str, str] | list[dict[str, str]]:
        """Write an item, or each item of a data set, as the table has it.

        Args:
            item: With `id` and `prediction`; or a data set of such items.
            encode_y: Write what is true instead of what was predicted.
            treshold: A pixel shows the class where its probability is above this, 0-1.

        Returns:
            Column to cell; a list of these for a data set.
        """
        if hasattr(item, "id"):
            return self._rows(item, treshold, encode_y=encode_y)[0]
        return self._all_rows(item, treshold, encode_y=encode_y)

    def _all_rows(self, dataset: Any, threshold: float, *, encode_y: bool) -> list[dict[str, str]]:
        items = (dataset[i] for i in range(len(dataset)))
        return [row for one in items for row in self._rows(one, threshold, encode_y=encode_y)]

    def _rows(self, item: Any, threshold: float, *, encode_y: bool) -> list[dict[str, str]]:
        """Write each class of an item as a row."""
        values = np.asarray(item.y if encode_y else item.prediction)
        if values.ndim == 2:
            values = values[:, :, None]
        planes = values == 1 if encode_y else self._fitted(values) > threshold
        if encode_y and self.maskShape is not None:
            planes = as_nearest(planes.astype(np.uint8), self.maskShape[0], self.maskShape[1])
        texts = [self._text(planes[:, :, k]) for k in range(planes.shape[2])]
        return [self._row(str(item.id), k, text) for k, text in enumerate(texts)]

    def _row(self, item_id: str, k: int, text: str) -> dict[str, str]:  # noqa: ARG002  of several classes it counts
        return {self.imColumn: item_id, str(self.rleColumn): text}

    def _text(self, plane: AnyArray) -> str:
        return encoded(plane, self.form) if plane.any() else _NOTHING[self.form]

    def _fitted(self, probs: AnyArray) -> Floats:
        """Bring probabilities [H, W, C] to the size that the table's texts are written for."""
        import cv2  # noqa: PLC0415  who lists data needs none of it

        values = probs.astype(np.float32)
        if self.maskShape is None or values.shape[:2] == tuple(self.maskShape[:2]):
            return values
        size = (self.maskShape[1], self.maskShape[0])
        resized = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
        return resized.reshape(*size[::-1], -1).astype(np.float32)


class MultiClassSegmentationDataSet(BinarySegmentationDataSet):
    """A table with masks of several classes in run lengths; `y` is [H, W, C], classes sorted.

    Args:
        imagePath: The folder of images, or several.
        csvPath: The table.
        imColumn: The column of file names, or a part of one such as `ImageId_ClassId`.
        rleColumn: The column of run-length texts.
        clazzColumn: The column of classes, or such a part.
        maskShape: Height and width that texts are written for; the image's own if not given.
        rMask: Whether texts go down the columns; else along the rows.
        isRel: Whether they are pairs of gap and length, down the columns.
        len: How many images count; -1 for all.

    Attributes:
        classes: The names of the classes.
    """

    def __init__(  # noqa: PLR0913  Musket's signature
        self,
        imagePath: Folders,
        csvPath: Path | str,
        imColumn: str,
        rleColumn: str,
        clazzColumn: str,
        maskShape: Sequence[int] | None = None,
        rMask: bool = True,
        isRel: bool = False,
        len: int = -1,
    ) -> None:
        self.clazzColumn = clazzColumn
        super().__init__(imagePath, csvPath, imColumn, rleColumn, maskShape, rMask, isRel, len)

    def encode(
        self,
        item: Any,
        encode_y: bool = False,
        treshold: float = 0.5,
    ) -> dict[str, str] | list[dict[str, str]]:
        """Write an item, or all of a data set, as rows of the table: one for each class."""
        if hasattr(item, "id"):
            return self._rows(item, treshold, encode_y=encode_y)
        return self._all_rows(item, treshold, encode_y=encode_y)

    def _row(self, item_id: str, k: int, text: str) -> dict[str, str]:
        parts = {self.imColumn: item_id, str(self.clazzColumn): self.classes[k]}
        if self.splitColumn:
            joined = "_".join(parts.get(part, "") for part in self.splitColumn.split("_"))
            parts = {self.splitColumn: joined}
        return parts | {str(self.rleColumn): text}


class NegativeDataSet(SourceDataSet):
    """All images below a folder, with masks that show nothing.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path | str) -> None:
        folder = found_path(path)
        super().__init__(EmptyMasks(FilesSource(folder)), name=folder.name)


class EmptyMasks(DrawnMasks):
    """Images in files, with masks of one class that show nothing.

    Args:
        files: The images.
    """

    def __init__(self, files: FileSource) -> None:
        self.masks, labels = kind_and_labels((FOREGROUND,), None)
        ids = files.sample_ids
        paths = [files.path(i) for i in range(len(ids))]
        super().__init__(ids, paths, labels, np.zeros((len(ids), 1), dtype=np.float32))
        self.excluded = files.excluded

    def written(self, i: int) -> str:  # noqa: ARG002  all are the same
        """Say that there is nothing."""
        return ""

    def drawn(self, i: int, size: tuple[int, int]) -> Image:  # noqa: ARG002  all are the same
        """Give a mask that shows nothing."""
        return empty_mask(size, MaskKind(1, exclusive=False))


def _by_stem(folder: Path, ending: str) -> dict[str, str]:
    """List files by their names without endings; of equal ones that with a given ending counts."""
    names = list_files(folder).files
    found = {name.rpartition(".")[0] or name: name for name in reversed(names[:])}
    wanted = f".{ending.lstrip('.')}".casefold()
    chosen = {n[: -len(wanted)]: n for n in names if ending and n.casefold().endswith(wanted)}
    return dict(sorted((found | chosen).items()))


def _shortened(table: Table, im_column: str, most: int) -> Table:
    """Keep the rows of the first images; of all where `most` is below 0."""
    if most < 0 or im_column not in table.columns:
        return table
    ids = [cell.strip() for cell in table.cells[table.columns.index(im_column)]]
    first = set(list(dict.fromkeys(filter(None, ids)))[:most])
    rows = [k for k, sample_id in enumerate(ids) if sample_id in first]
    cells = tuple([column[k] for k in rows] for column in table.cells)
    return replace(table, cells=cells, lines=table.lines[rows])
