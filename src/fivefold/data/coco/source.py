"""Images and boxes of a COCO file as samples."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Image, Indices
from fivefold.data.coco.classes import CategoryMap
from fivefold.data.coco.document import file_bytes
from fivefold.data.coco.labelled import Labelled, read_labelled
from fivefold.data.coco.places import place_of
from fivefold.data.coco.targets import hot_rows, is_exclusive
from fivefold.data.decode import Decoded
from fivefold.data.files import FileSource, check_folder
from fivefold.data.image_problem import ImageProblem, Reason
from fivefold.data.name_twins import told_twins
from fivefold.data.named_files import paths_of
from fivefold.data.packed import packed
from fivefold.data.source import Fetched, Labels, Sample, Source, sources
from fivefold.data.text_order import first_alike

logger = logging.getLogger(__name__)

Boxes: TypeAlias = Literal["labels", "crops"]


@sources.add(name="coco")
class CocoSource(FileSource):
    """Images of a COCO file; what its annotations name are their labels.

    Exactly one class is true of each image if the file has it so; else any number may be.

    Args:
        path: The file.
        images_dir: Where names of images start; its own folder if not given.
        validation: A second file, whose images are validated on while those of the first are
            trained on.
        boxes: `labels` takes annotations with an area as labels of the whole image; without it
            they are refused.
        category_map: Classes of one's own.
        level: How many steps up the chain of supercategories a class lies.
        background: The class that means "nothing": true where no other is, and only there.
    """

    def __init__(
        self,
        path: Path,
        images_dir: Path | None = None,
        *,
        validation: Path | None = None,
        boxes: Literal["labels"] | None = None,
        category_map: CategoryMap | None = None,
        level: int = 0,
        background: str | None = None,
    ) -> None:
        files = [path] if validation is None else [path, validation]
        parts = [read_labelled(file, level=level, category_map=category_map) for file in files]
        if boxes is None:
            for part in parts:
                _refuse_boxes(part)
        names = same_classes(parts)
        known = names if background is None or background in names else (background, *names)
        place = None if background is None else known.index(background)
        ids = ids_of(parts, images_dir or path.parent)
        rows, classes = pairs_of(parts, known)
        targets = hot_rows(rows, classes, len(ids), len(known), place)
        exclusive = is_exclusive(targets)
        paths = paths_of(images_dir or path.parent, ids, place=place_in(parts))
        super().__init__(ids, paths, (Labels("", known, exclusive=exclusive),), targets)
        unlabelled = len(ids) - len(np.unique(rows))
        self.warnings = (*_remarks(parts, unlabelled, background), *told_twins(ids))
        if len(parts) > 1:
            first = len(parts[0].names)
            self.fold_lists = [(range(first), range(first, len(ids)))]


class CocoBoxes(Source):
    """Boxes of a COCO file, each cut out as a sample; those of one image stay in one fold.

    Args:
        path: The file.
        images_dir: Where names of images start; its own folder if not given.
        category_map: Classes of one's own.
        level: How many steps up the chain of supercategories a class lies.
        margin: How much of the box's width and height to add on each side.
        smallest: Boxes with a shorter side in pixels are left out.
    """

    def __init__(
        self,
        path: Path,
        images_dir: Path | None = None,
        *,
        category_map: CategoryMap | None = None,
        level: int = 0,
        margin: float = 0.0,
        smallest: float = 8.0,
    ) -> None:
        part = read_labelled(path, level=level, category_map=category_map)
        names = ids_of([part], images_dir or path.parent)
        paths = paths_of(images_dir or path.parent, names, place=place_in([part]))
        self._files = FileSource(names, paths)
        kept = [k for k, box in enumerate(part.boxes) if box and min(box[2:]) >= smallest]
        if not kept:
            msg = f"{path}: expected boxes of at least {smallest:g} pixels to cut out, got none"
            hint = "without `boxes: crops` the labels of whole images are used"
            raise DataError(msg, hint=hint, slug="data/no-boxes")
        self._rows = part.rows[kept]
        self._boxes = np.asarray([part.boxes[k] for k in kept], dtype=np.float64)
        self._margin = margin
        self._classes = part.classes[kept]
        self.labels = (Labels("", part.class_names, exclusive=True),)
        self.sample_ids = packed(f"{names[part.rows[k]]}#{part.numbers[k]}" for k in kept)
        self.groups = packed(names[row] for row in self._rows.tolist())
        self.excluded = tuple(_left_out(part, names, smallest))
        self.warnings = (*_remarks([part], 0, None), *told_twins(names))

    def show_alpha(self, wanted: bool) -> None:  # noqa: FBT001  the protocol
        """Say whether images with opacities get a fourth channel, or are laid on white."""
        self._files.show_alpha(wanted)

    def sample(self, i: int) -> Sample:
        """Cut a sample out of its image."""
        return Sample(self.sample_ids[i], self.image(i), self.target(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:  # noqa: ARG002  boxes are in full pixels
        """Cut a sample out of its image, as large as it is there."""
        return self._cut(i, self._files.image(int(self._rows[i])))

    def target(self, i: int) -> np.ndarray:
        """Tell a sample's truth [C]."""
        target = np.zeros(len(self.labels[0].class_names), dtype=np.float32)
        target[self._classes[i]] = 1
        return target

    def fetch(self, i: int) -> Fetched:
        """Read the image once; a sample's content is that and its box."""
        fetched = self._files.fetch(int(self._rows[i]))
        text = f"{fetched.digest} {self._boxes[i].tolist()} {self._margin}"

        def decode(at_least: tuple[int, int] | None) -> Decoded:  # noqa: ARG001  as `image`
            whole = fetched.decode(None)
            pixels = self._cut(i, whole.image)
            height, width = pixels.shape[:2]
            return Decoded(pixels, height, width, whole.kind)

        return Fetched(hashlib.sha256(text.encode()).hexdigest(), decode)

    def stamp(self, i: int) -> str:
        """Tell the size and time of the image's file."""
        return self._files.stamp(int(self._rows[i]))

    def path(self, i: int) -> str:
        """Tell where the image lies."""
        return self._files.path(int(self._rows[i]))

    def _cut(self, i: int, image: Image) -> Image:
        left, top, width, height = self._boxes[i].tolist()
        more_x, more_y = self._margin * width, self._margin * height
        rows = slice(max(round(top - more_y), 0), max(round(top + height + more_y), 0))
        columns = slice(max(round(left - more_x), 0), max(round(left + width + more_x), 0))
        pixels = image[rows, columns]
        if not pixels.size:
            detail = f"its box lies outside of the image of {image.shape[1]} x {image.shape[0]}"
            raise ImageProblem(Reason.OUTSIDE, detail)
        return np.ascontiguousarray(pixels)


def _refuse_boxes(part: Labelled) -> None:
    areas = sum(box is not None for box in part.boxes)
    if areas:
        msg = f"{part.path}: expected labels of whole images, which are annotations without an "
        msg += f"area, got {areas:,} with one"
        hint = "`boxes: labels` takes them as labels of their images, `boxes: crops` cuts them out"
        raise DataError(msg, hint=hint, slug="data/boxes")


def same_classes(parts: Sequence[Labelled]) -> tuple[str, ...]:
    """Give the classes of the first file, which has all that the others have.

    Raises:
        DataError: If it lacks one.
    """
    first, *others = parts
    for other in others:
        known = set(first.class_names)
        unseen = [name for name in other.class_names if name not in known]
        if unseen:
            shown = ", ".join(map(repr, unseen[:5])) + (", …" if len(unseen) > 5 else "")
            msg = f"{other.path}: expected classes that {first.path} has too, got {shown}"
            hint = "no training image shows them: map them, or leave them out by `category_map`"
            raise DataError(msg, hint=hint, slug="data/unseen-class")
    return first.class_names


def ids_of(parts: Sequence[Labelled], images_dir: Path) -> list[str]:
    """Name samples by their paths below the folder of images."""
    check_folder(images_dir)
    ids = below(images_dir, [name for part in parts for name in part.names])
    if len(set(ids)) < len(ids):
        twice = ids[int(np.argmax(first_alike(ids) != np.arange(len(ids))))]
        files = " and ".join(str(part.path) for part in parts)
        msg = f"{files}: expected each image once, got {twice!r} twice"
        hint = "an image that is validated on must not be trained on" if parts[1:] else ""
        raise DataError(msg, hint=hint, slug="data/duplicate-id")
    return ids


def place_in(parts: Sequence[Labelled]) -> Callable[[int], str]:
    """Make what says where the image at a position among all files stands."""

    def place(i: int) -> str:
        for part in parts:
            if i < len(part.names):
                return place_of(part.path, file_bytes(part.path), ("images", i, "file_name"))
            i -= len(part.names)
        raise IndexError(i)

    return place


def below(images_dir: Path, names: Sequence[str]) -> list[str]:
    """Make names relative to a folder where they are absolute ones below it."""
    roots = [f"{images_dir.absolute()}{os.sep}", f"{images_dir.resolve()}{os.sep}"]
    starts = (next((r for r in roots if name.startswith(r)), "") for name in names)
    return [name[len(start) :] for name, start in zip(names, starts, strict=True)]


def pairs_of(parts: Sequence[Labelled], names: Sequence[str]) -> tuple[Indices, Indices]:
    """Put the labels of all files one after the other, by the numbers of the common classes."""
    rows, classes, start = [], [], 0
    place = {name: number for number, name in enumerate(names)}
    for part in parts:
        column = np.asarray([place[name] for name in part.class_names], dtype=np.int64)
        rows.append(part.rows + start)
        classes.append(column[part.classes])
        start += len(part.names)
    return np.concatenate(rows), np.concatenate(classes)


def _remarks(parts: Sequence[Labelled], unlabelled: int, background: str | None) -> Iterator[str]:
    for part in parts:
        if part.from_captions:
            yield f"{part.path}: labels are captions, which COCO does not mean so: use categories"
        if part.unmapped:
            yield f"{part.path}: {part.unmapped:,} annotations have no class: they label nothing"
    if unlabelled and background is None:
        images = "1 image has" if unlabelled == 1 else f"{unlabelled:,} images have"
        yield f"{images} no label: kept, with none of the classes true"
    elif unlabelled:
        logger.info("%d images without a label are %r", unlabelled, background)


def _left_out(part: Labelled, names: Sequence[str], smallest: float) -> Iterator[tuple[str, str]]:
    for k, box in enumerate(part.boxes):
        if not box or min(box[2:]) < smallest:
            rule = "small-box" if box else "no-box"
            yield f"{names[part.rows[k]]}#{part.numbers[k]}", rule
