"""A COCO file as a Python data set, under Abyss's name: images with what a translator says."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic_core import from_json

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.seeding import generator_for
from fivefold.core.types import Image
from fivefold.core.validation import shown
from fivefold.data.coco.document import file_bytes
from fivefold.data.coco.labelled import check_document
from fivefold.data.coco.source import below
from fivefold.data.coco.targets import hot_rows, is_exclusive
from fivefold.data.coco.translators import AnnotationTranslator
from fivefold.data.datasets.paths import SourceDataSet
from fivefold.data.files import FileSource, check_folder
from fivefold.data.named_files import paths_of
from fivefold.data.source import Labels, in_class_order

Label: TypeAlias = int | str


class ImageClassificationDataset(SourceDataSet):
    """Images of a COCO file with the labels that a translator makes of their annotations.

    `Experiment.fit` takes it as it is.

    Args:
        json_path: The file.
        translator: Keeps and translates annotations; its labels are class numbers from 0, or
            names. By default names of categories.
        image_dir: Where `file_name` starts; the file's folder if not given.
        data_ids: Ids of the images to take; all if not given.
        class_names: Names of numbered classes.
        seed: What `sample` and `generator` draw with.

    Attributes:
        data_ids: Ids of the images, in the file's order.
    """

    def __init__(
        self,
        json_path: Path | str,
        translator: AnnotationTranslator | None = None,
        image_dir: Path | str | None = None,
        data_ids: Sequence[int] | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 42,
    ) -> None:
        path = Path(json_path)
        check_document(path)
        entries = from_json(file_bytes(path))
        self._records = {image["id"]: image for image in _chosen(path, entries, data_ids)}
        self.data_ids = tuple(self._records)
        self._labels = _labels(entries, translator or _Names(entries), set(self.data_ids))
        names = _class_names(path, self._labels.values(), class_names)
        super().__init__(self._source(path, image_dir, names), name=path.stem)
        self._numbers = generator_for(seed, "coco-sample")

    @cached_property
    def _place(self) -> dict[int, int]:
        return {image_id: place for place, image_id in enumerate(self.data_ids)}

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    def load_image(self, image_id: int) -> Image:
        """Read an image by its id in the file."""
        return self.source.image(self._find(image_id))

    def load_targets(self, image_id: int) -> set[Label]:
        """Give an image's labels, as the translator makes them."""
        self._find(image_id)
        return set(self._labels.get(image_id, ()))

    def sample(self, image_id: int | None = None) -> tuple[Image, set[Label]]:
        """Give an image with its labels: the one asked for, or any."""
        chosen = image_id
        if chosen is None:
            chosen = self.data_ids[int(self._numbers.integers(len(self.data_ids)))]
        return self.load_image(chosen), self.load_targets(chosen)

    def generator(
        self,
        data_ids: Sequence[int] | None = None,
        *,
        shuffle_ids: bool = False,
        endless: bool = False,
    ) -> Iterator[tuple[Image, set[Label]]]:
        """Give images with their labels, one after the other.

        Args:
            data_ids: Which ones; all if not given.
            shuffle_ids: In an order that is drawn anew for every pass.
            endless: Begin again at the end.
        """
        ids = list(self.data_ids if data_ids is None else data_ids)
        again = bool(ids)
        while again:
            order = self._numbers.permutation(len(ids)) if shuffle_ids else range(len(ids))
            yield from (self.sample(ids[k]) for k in order)
            again = endless

    def _find(self, image_id: int) -> int:
        if image_id in self._place:
            return self._place[image_id]
        msg = f"expected the id of one of {len(self)} images, got {shown(image_id)}"
        hint = did_you_mean(str(image_id), list(map(str, self.data_ids[:1000])), "see `data_ids`")
        raise DataError(msg, hint=hint, slug="data/unknown-id")

    def _source(self, path: Path, image_dir: Path | str | None, names: Sequence[str]) -> FileSource:
        root = Path(image_dir) if image_dir is not None else path.parent
        check_folder(root)
        ids = below(root, [r.get("path") or r["file_name"] for r in self._records.values()])
        column = {name: k for k, name in enumerate(names)}
        pairs = [
            (place, column[str(label)] if isinstance(label, str) else label)
            for place, image_id in enumerate(self.data_ids)
            for label in self._labels.get(image_id, ())
        ]
        rows, classes = np.asarray(pairs, dtype=np.int64).reshape(-1, 2).T
        targets = hot_rows(rows, classes, len(ids), len(names))
        labels = Labels("", tuple(names), exclusive=is_exclusive(targets))
        return FileSource(ids, paths_of(root, ids), (labels,), targets)


class _Names(AnnotationTranslator):
    """Gives the name of an annotation's category.

    Args:
        entries: The file.
    """

    def __init__(self, entries: Any) -> None:
        self._names = {c["id"]: c["name"] for c in entries.get("categories", ())}

    def filter(self, annotation: Any) -> bool:
        return annotation.get("category_id") in self._names

    def translate(self, annotation: Any) -> list[str]:
        return [self._names[annotation["category_id"]]]


def _chosen(path: Path, entries: Any, data_ids: Sequence[int] | None) -> list[Any]:
    images = entries["images"]
    wanted = {image["id"] for image in images} if data_ids is None else set(data_ids)
    unknown = wanted - {image["id"] for image in images}
    if unknown:
        msg = f"{path}: data_ids: expected ids of its images, got {shown(min(unknown))}"
        raise DataError(msg, hint="ids are those of `images`", slug="data/unknown-id")
    found = [image for image in images if image["id"] in wanted]
    if not found:
        msg = f"{path}: expected at least 1 image, got none"
        raise DataError(msg, slug="data/no-images")
    return found


def _labels(
    entries: Any, translator: AnnotationTranslator, wanted: set[int]
) -> dict[int, dict[Label, None]]:
    """Collect the labels of each image, each once, in the file's order."""
    found: dict[int, dict[Label, None]] = {}
    for annotation in entries["annotations"]:
        if annotation["image_id"] in wanted and translator.filter(annotation):
            labels = translator.translate(annotation)
            found.setdefault(annotation["image_id"], {}).update(dict.fromkeys(labels))
    return found


def _class_names(path: Path, labels: Any, class_names: Sequence[str] | None) -> tuple[str, ...]:
    known = {label for some in labels for label in some}
    names = {label for label in known if isinstance(label, str)}
    numbers = known - names
    count = max(numbers, default=-1) + 1
    if names and numbers:
        got = f"{shown(min(names))} and {min(numbers)}"
    elif not known:
        got = "none at all"
    elif numbers and (min(numbers) < 0 or (class_names and len(class_names) < count)):
        got = f"{min(numbers)} to {max(numbers)}"
    else:
        numbered = class_names or tuple(map(str, range(count)))
        return in_class_order(names) if names else tuple(numbered)
    msg = f"{path}: expected the translator to give names, or numbers of classes, got {got}"
    raise DataError(msg, hint="check its map", slug="data/unmapped-caption")
