"""What a COCO file says of its images: which image has which classes, and where."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Indices
from fivefold.core.validation import shown
from fivefold.data.coco.classes import CategoryMap, Classes, captions_as_classes, classes_of
from fivefold.data.coco.document import (
    Annotation,
    Box,
    Document,
    ImageRecord,
    read_document,
    refuse_wrong,
)
from fivefold.data.coco.translators import split_caption

_Wrong: TypeAlias = tuple[tuple[str | int, ...], str]
_CLASS_LABELS = "class_labels"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images and what is said of them.

    Attributes:
        path: The file.
        names: Where each image lies, as the file has it [N].
        rows: Of each label, its image's place in `names` [P].
        classes: Of each label, its class [P].
        boxes: Of each label, which part of the image it is about; None for the whole [P].
        numbers: Of each label what tells it from others: its annotation's id, or its place in the
            file where some have none; behind that of captions with several, which of them [P].
        class_names: Of the classes.
        from_captions: Whether labels are captions.
        unmapped: How many annotations are of categories that have no class.
        places: Of each label, its annotation's place in the file [P].
    """

    path: Path
    names: Sequence[str]
    rows: Indices
    classes: Indices
    boxes: Sequence[Box | None]
    numbers: Sequence[str]
    class_names: tuple[str, ...]
    from_captions: bool
    unmapped: int
    places: Indices


def read_labelled(
    path: Path, *, level: int = 0, category_map: CategoryMap | None = None
) -> Labelled:
    """Read a COCO file for classification.

    Args:
        path: The file.
        level: How many steps up the chain of supercategories a class lies.
        category_map: Classes of one's own.

    Raises:
        DataError: If the file contradicts itself, or has neither labels nor images.
    """
    return labelled_by(path, check_document(path), level=level, category_map=category_map)


def labelled_by(
    path: Path, document: Document, *, level: int = 0, category_map: CategoryMap | None = None
) -> Labelled:
    """Put together what a checked document says of its images; see `read_labelled`."""
    from_captions = _says_captions(document.annotations)
    if from_captions:
        captions = [label for a in document.annotations for label in _captions(a)]
        classes = captions_as_classes(captions, category_map, str(path))
    else:
        categories = document.categories
        classes = classes_of(categories, str(path), level=level, given=category_map)
    if not document.images or not classes.names:
        got = f"{len(document.images)} images and {len(classes.names)} classes"
        msg = f"{path}: expected images and at least one category, got {got}"
        hint = "labels are annotations with an `image_id` and a `category_id`"
        raise DataError(msg, hint=hint, slug="data/not-coco")
    return _labelled(path, document, classes, from_captions=from_captions)


def check_document(path: Path, *, outlined: bool = False) -> Document:
    """Read a COCO file and make sure that it does not contradict itself.

    Args:
        path: The file.
        outlined: Whether what annotations draw is wanted.

    Raises:
        DataError: If it does, or is no such file; names up to ten places.
    """
    document = read_document(path, outlined=outlined)
    refuse_wrong(path, list(_contradictions(document)))
    return document


def _labelled(path: Path, document: Document, classes: Classes, *, from_captions: bool) -> Labelled:
    row_of = {image.id: row for row, image in enumerate(document.images)}
    rows, columns, boxes, numbers, places, unmapped = [], [], [], [], [], 0
    by_id = all(a.id is not None for a in document.annotations)  # then each is there once
    for place, annotation in enumerate(document.annotations):
        found = _classes(annotation, classes, from_captions=from_captions)
        unmapped += not found
        for which, column in enumerate(found, 1):
            rows.append(row_of[annotation.image_id])
            columns.append(column)
            boxes.append(annotation.box)
            places.append(place)
            number = str(annotation.id if by_id else place)
            numbers.append(number if which == 1 else f"{number}.{which}")
    return Labelled(
        path=path,
        names=[image.name for image in document.images],
        rows=np.asarray(rows, dtype=np.int64),
        classes=np.asarray(columns, dtype=np.int64),
        boxes=boxes,
        numbers=numbers,
        class_names=classes.names,
        from_captions=from_captions,
        unmapped=unmapped,
        places=np.asarray(places, dtype=np.int64),
    )


def _says_captions(annotations: Sequence[Annotation]) -> bool:
    with_category = any(a.category_id is not None for a in annotations)
    return not with_category and any(a.caption is not None for a in annotations)


def _captions(annotation: Annotation) -> list[str]:
    if annotation.caption is None or annotation.type not in (None, _CLASS_LABELS):
        return []
    return split_caption(annotation.caption, ",")


def _classes(annotation: Annotation, classes: Classes, *, from_captions: bool) -> list[int]:
    if from_captions:
        labels = dict.fromkeys(_captions(annotation))
        return [classes.of_name[label] for label in labels if label in classes.of_name]
    found = classes.of_category.get(annotation.category_id or 0)
    return [] if found is None or annotation.category_id is None else [found]


def _contradictions(document: Document) -> Iterator[_Wrong]:
    yield from _repeated("images", [image.id for image in document.images])
    yield from _repeated("categories", [category.id for category in document.categories])
    ids = [a.id for a in document.annotations if a.id is not None]
    if len(ids) == len(document.annotations):
        yield from _repeated("annotations", ids)
    yield from _nameless(document.images)
    yield from _dangling(document)


def _repeated(name: str, ids: Sequence[int]) -> Iterator[_Wrong]:
    if len(set(ids)) == len(ids):
        return
    times, first = Counter(ids), dict[int, int]()
    for place, number in enumerate(ids):
        if times[number] > 1 and first.setdefault(number, place) != place:
            text = f"expected each id once, got {number} as in {name}[{first[number]}]"
            yield (name, place, "id"), text


def _nameless(images: Sequence[ImageRecord]) -> Iterator[_Wrong]:
    first: dict[str, int] = {}
    for place, image in enumerate(images):
        if not image.name:
            yield ("images", place), "expected a `file_name` or a `path`, got neither"
        elif first.setdefault(image.name, place) != place:
            text = f"expected each file once, got {image.name!r} as in images[{first[image.name]}]"
            yield ("images", place, "file_name"), text


def _dangling(document: Document) -> Iterator[_Wrong]:
    images: Mapping[int, None] = dict.fromkeys(image.id for image in document.images)
    categories = dict.fromkeys(category.id for category in document.categories)
    for place, annotation in enumerate(document.annotations):
        if annotation.image_id not in images:
            text = f"expected the id of one of the images, got {shown(annotation.image_id)}"
            yield ("annotations", place, "image_id"), text
        number = annotation.category_id
        if number is not None and number not in categories:
            text = f"expected the id of one of the categories, got {shown(number)}"
            yield ("annotations", place, "category_id"), text
        if number is None and annotation.caption is None:
            text = "expected a `category_id`, got neither that nor a caption"
            yield ("annotations", place), text
