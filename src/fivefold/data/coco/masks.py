"""Images of a COCO file with the masks that its annotations draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.masks import IGNORED, empty_mask
from fivefold.core.types import AnyArray, Image
from fivefold.data.coco.classes import CategoryMap
from fivefold.data.coco.document import Box, Outlined, OutlinedDocument, SizedImage
from fivefold.data.coco.labelled import Labelled, check_document, labelled_by
from fivefold.data.coco.outlines import Outline
from fivefold.data.coco.source import ids_of, pairs_of, place_in, same_classes
from fivefold.data.coco.targets import hot_rows
from fivefold.data.drawn_masks import DrawnMasks, fitting, kind_and_labels, with_background
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.name_twins import told_twins
from fivefold.data.named_files import paths_of
from fivefold.data.packed_numbers import targets_in_parts


@dataclass(frozen=True, eq=False)
class _Part:
    """One file.

    Attributes:
        labelled: Its images and classes.
        drawn: The annotation behind each label [P].
        sizes: Height and width of each image; None where the file does not say [N].
    """

    labelled: Labelled
    drawn: Sequence[Outlined]
    sizes: Sequence[tuple[int, int] | None]


class CocoMasks(DrawnMasks):
    """Images of a COCO file with masks.

    Objects of one class are put together. Of exclusive classes smaller objects lie on top of larger
    ones. Regions of crowds (`iscrowd`), and boxes without an outline, are ignored where nothing
    else is drawn; of classes that may overlap, where their own class is not.

    Args:
        path: The file.
        images_dir: Where names of images start; its own folder if not given.
        validation: A second file, whose images are validated on while those of the first are
            trained on.
        category_map: Classes of one's own; annotations of other categories draw nothing.
        level: How many steps up the chain of supercategories a class lies.
        background: What the first of exclusive classes is called; None where classes may overlap.
            A category of that name is the same as nothing.

    Raises:
        DataError: If the file contradicts itself, or draws nothing.
    """

    def __init__(
        self,
        path: Path,
        images_dir: Path | None = None,
        *,
        validation: Path | None = None,
        category_map: CategoryMap | None = None,
        level: int = 0,
        background: str | None = None,
    ) -> None:
        files = [path] if validation is None else [path, validation]
        parts = [_read(file, category_map, level) for file in files]
        labelled = [part.labelled for part in parts]
        all_names = same_classes(labelled)
        ids = ids_of(labelled, images_dir or path.parent)
        rows, classes = pairs_of(labelled, all_names)
        self._drawn = [one for part in parts for one in part.drawn]
        self._sizes = [size for part in parts for size in part.sizes]
        names = tuple(name for name in all_names if name != background)
        number = {name: k for k, name in enumerate(names)}
        self._class = np.array([number.get(name, -1) for name in all_names])[classes]
        self._order = np.argsort(rows, kind="stable")
        self._starts = np.searchsorted(rows[self._order], np.arange(len(ids) + 1))
        self._where = [(part.labelled.path, k) for part in parts for k in part.labelled.numbers]
        self.masks, labels = kind_and_labels(names, background)
        shows = self._class >= 0
        shows &= np.array([_is_object(one) for one in self._drawn], dtype=bool)
        hot = hot_rows(rows[shows], self._class[shows], len(ids), len(names))
        targets = targets_in_parts(
            len(ids), lambda places: with_background(hot[places.start : places.stop], background)
        )
        paths = paths_of(images_dir or path.parent, ids, place=place_in(labelled))
        super().__init__(ids, paths, labels, targets)
        self.warnings = (*_remarks(parts), *told_twins(ids))
        self._files, self._first = files, len(parts[0].sizes)
        if len(parts) > 1:
            self.fold_lists = [(range(self._first), range(self._first, len(ids)))]

    def written(self, i: int) -> str:
        """Give what the annotations of a sample draw."""
        drawn = [(self._class[k], self._drawn[k]) for k in self._of(i)]
        parts = [f"{c} {one.segmentation!r} {one.box} {one.iscrowd}" for c, one in drawn]
        return "\n".join([str(self._sizes[i]), *parts])

    def drawn(self, i: int, size: tuple[int, int]) -> Image:
        """Draw a sample's mask [h, w, P]."""
        expected = self._sizes[i]
        if expected is not None:
            fitting(size, expected, f"{self._files[i >= self._first]}: ")
        mask = empty_mask(size, self.masks)
        for k in self._of(i):
            if not _is_object(self._drawn[k]):
                self._put(mask, k, self._region(k, size), IGNORED)
        for k in self._objects(i, size):
            self._put(mask, k, self._plane(k, size), 1)
        return mask

    def _objects(self, i: int, size: tuple[int, int]) -> list[int]:
        """List a sample's annotations of objects in the order to draw them."""
        objects = [k for k in self._of(i) if _is_object(self._drawn[k])]
        if self.masks.exclusive and len(objects) > 1:
            # Each is drawn twice, since the planes of all objects may not fit into memory.
            objects.sort(key=lambda k: -np.count_nonzero(self._plane(k, size)))
        return objects

    def _of(self, i: int) -> list[int]:
        """List a sample's annotations, in the file's order."""
        found: list[int] = self._order[self._starts[i] : self._starts[i + 1]].tolist()
        return found

    def _put(self, mask: Image, k: int, plane: AnyArray, value: int) -> None:
        """Write a value where an annotation draws; of exclusive classes the class's number."""
        where, number = plane > 0, int(self._class[k])
        if self.masks.exclusive:
            mask[where] = value if value == IGNORED else number + 1
        elif number >= 0:
            mask[where, number] = value

    def _region(self, k: int, size: tuple[int, int]) -> Image:
        """Draw what is ignored: a crowd, or the box of what nobody has outlined."""
        if self._drawn[k].segmentation is not None:
            return self._plane(k, size)
        plane = np.zeros(size, dtype=np.uint8)
        box = self._drawn[k].box
        if box is not None:
            plane[_slices(box)] = 1
        return plane

    def _plane(self, k: int, size: tuple[int, int]) -> Image:
        outline = cast("Outline", self._drawn[k].segmentation)
        try:
            return outline.drawn(size)
        except DataError as error:
            path, number = self._where[k]
            detail = f"{path}: annotation {number}: {str(error).splitlines()[0]}"
            raise ImageProblem(Reason.BAD_MASK, detail) from error


def _read(path: Path, category_map: CategoryMap | None, level: int) -> _Part:
    document = cast("OutlinedDocument", check_document(path, outlined=True))
    labelled = labelled_by(path, document, level=level, category_map=category_map)
    drawn = [document.annotations[k] for k in labelled.places.tolist()]
    _refuse_unoutlined(path, labelled, drawn)
    return _Part(labelled, drawn, [_size(image) for image in document.images])


def _refuse_unoutlined(path: Path, labelled: Labelled, drawn: Sequence[Outlined]) -> None:
    """Make sure that a file draws something, and that each annotation says where it is.

    Raises:
        DataError: If not.
    """
    hint = "masks are drawn from `segmentation`: polygons or run lengths"
    if not any(_is_object(one) for one in drawn):
        boxes = sum(one.box is not None for one in drawn)
        msg = f"{path}: expected annotations that outline objects, got none and {boxes:,} boxes"
        raise DataError(msg, hint=hint, slug="data/no-outlines")
    lost = [k for k, one in enumerate(drawn) if one.segmentation is None and one.box is None]
    if lost:
        msg = f"{path}: annotation {labelled.numbers[lost[0]]}: expected an outline or a box, "
        msg += f"got neither, as in {len(lost):,} of {len(drawn):,}"
        raise DataError(
            msg,
            hint=f"{hint}; `category_map` leaves out what it does not name",
            slug="data/no-outlines",
        )


def _size(image: SizedImage) -> tuple[int, int] | None:
    return None if image.height is None or image.width is None else (image.height, image.width)


def _is_object(one: Outlined) -> bool:
    return one.segmentation is not None and not one.iscrowd


def _slices(box: Box) -> tuple[slice, slice]:
    left, top, width, height = box
    rows = slice(max(round(top), 0), max(round(top + height), 0))
    return rows, slice(max(round(left), 0), max(round(left + width), 0))


def _remarks(parts: Sequence[_Part]) -> Iterator[str]:
    for part in parts:
        path, unmapped = part.labelled.path, part.labelled.unmapped
        if unmapped:
            yield f"{path}: {unmapped:,} annotations have no class: they draw nothing"
        boxes = sum(one.segmentation is None for one in part.drawn)
        if boxes:
            yield (
                f"{path}: {boxes:,} annotations have a box and no outline: what lies in these "
                "boxes is ignored where nothing is outlined"
            )
