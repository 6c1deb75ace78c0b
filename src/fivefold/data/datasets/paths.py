"""Data sets of image files, under Musket's names."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.core.errors import DataError
from fivefold.core.types import Floats, Image
from fivefold.data.chosen import ChosenSource
from fivefold.data.datasets.composed import DataSet, SubDataSet
from fivefold.data.decode import read_image
from fivefold.data.files import FilesSource, check_folder
from fivefold.data.folder import FolderSource
from fivefold.data.named_files import paths_of
from fivefold.data.python_class import PredictionItem
from fivefold.data.python_masks import as_y
from fivefold.data.rle import masks_as_images, multi_rle_encode
from fivefold.data.source import Source

_around: ContextVar[tuple[Path, ...]] = ContextVar("around", default=())


class SourceDataSet(DataSet):
    """A source of fivefold's seen as a Musket data set; what reads it in bulk takes the source.

    Args:
        source: Reads the samples.
        name: What it is called.

    Attributes:
        source: The same.
    """

    def __init__(self, source: Source, name: str = "") -> None:
        self.source = source
        self.name = name

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of `y`, where there is one output."""
        labels = self.source.labels
        return labels[0].class_names if len(labels) == 1 else ()

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> PredictionItem:
        if not 0 <= i < len(self):
            raise IndexError(i)
        if self.source.masks is None:
            return PredictionItem(self.get_id(i), self.source.sample(i).image, self.get_target(i))
        sample = self.source.sample(i)
        y = None if sample.mask is None else as_y(sample.mask, self.source.masks)
        return PredictionItem(self.get_id(i), sample.image, y)

    def get_id(self, i: int) -> str:
        """Tell an item's id without reading its image."""
        return self.source.sample_ids[i]

    def get_target(self, i: int) -> Any:
        """Tell an item's `y` without reading its image: a vector, a list of them, or a mask.

        A mask is [H, W, C] of 0 and 1, with 255 where nobody says what is true.
        """
        if self.source.masks is not None:
            return as_y(self.source.mask(i), self.source.masks)
        return self.as_y(self.source.target(i))

    def get_masks(self, im_id: str) -> list[Floats]:
        """Give the objects of an item's mask one by one: float32 [H, W] of 0 and 1.

        Objects are the connected parts of what shows any class.

        Args:
            im_id: The item's id.

        Raises:
            DataError: If there is no such item, or it has no mask.
        """
        if self.source.masks is None or im_id not in self._places:
            got = "data without masks" if self.source.masks is None else repr(im_id)
            msg = f"get_masks: expected the id of an item with a mask, got {got}"
            raise DataError(msg, slug="data/unknown-id")
        mask = self.source.mask(self._places[im_id])
        first = 1 if self.source.masks.exclusive else 0
        plane = (as_y(mask, self.source.masks)[:, :, first:] == 1).any(axis=2)
        return masks_as_images(multi_rle_encode(plane), plane.shape)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {sample_id: i for i, sample_id in enumerate(self.source.sample_ids)}

    def as_y(self, values: Floats | None) -> Any:
        """Split values of all classes [C] by outputs; one output is a vector by itself."""
        if values is None or len(self.source.labels) < 2:
            return values
        stops = np.cumsum([len(labels.class_names) for labels in self.source.labels])
        return np.split(values, stops[:-1])

    def isPositive(self, i: int) -> bool:
        """Say whether any class is true of an item; of exclusive classes of pixels, any but one."""
        return self.source.is_positive(i)

    def as_source(self) -> Source | None:
        """Give the source, unless a class of the user's own makes its items in another way."""
        own = type(self)
        changed = own.__getitem__ is not SourceDataSet.__getitem__
        changed |= own.get_target is not SourceDataSet.get_target
        return None if changed else self.source


class DirectoryDataSet(SourceDataSet):
    """All images below a folder, without labels; ids are paths relative to it.

    Args:
        imgPath: The folder.
    """

    def __init__(self, imgPath: Path | str) -> None:
        super().__init__(FilesSource(Path(imgPath)), name=Path(imgPath).name)


class ConstrainedDirectory(SourceDataSet):
    """Some images of a folder, without labels, in the order given.

    Args:
        path: The folder.
        filters: File names in it, with or without ending.
    """

    def __init__(self, path: Path | str, filters: Sequence[str]) -> None:
        self.path = Path(path)
        self.filters = [str(name) for name in filters]
        check_folder(self.path)
        super().__init__(NamedFiles(self.path, self.filters), name=self.path.name)


class NamedFiles(FilesSource):
    """Files of one folder, named relative to it; none may lie outside.

    Args:
        folder: The folder.
        names: File names in it, with or without ending.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super(FilesSource, self).__init__(names, paths_of(folder, names))


class FolderClassificationDataSet(SourceDataSet):
    """One folder for each class.

    Args:
        imagePath: Where the folder is looked for: a folder, or several; None where it is a path by
            itself.
        folder: It holds the classes' folders.
        imColumn: What the column of ids is called when predictions are written.
        clazzColumn: What the column of classes is called then.
    """

    def __init__(
        self,
        imagePath: Path | str | Sequence[Path | str] | None,
        folder: Path | str,
        imColumn: str = "image",
        clazzColumn: str = "class",
    ) -> None:
        self.imColumn, self.clazzColumn = imColumn, clazzColumn
        around = [imagePath] if isinstance(imagePath, str | Path) else imagePath or ()
        places = [found_path(path) / folder for path in around] or [found_path(folder)]
        root = next((path for path in places if path.is_dir()), places[0])
        super().__init__(FolderSource(root), name=root.name)

    def encode(
        self,
        item: Any,
        encode_y: bool = False,
        treshold: float = 0.5,  # noqa: ARG002  of several classes the most probable one
    ) -> dict[str, str]:
        """Write an item's most probable class, or with `encode_y` its true one, as a row."""
        values = np.asarray(item.y if encode_y else item.prediction)
        return {self.imColumn: str(item.id), self.clazzColumn: self.class_names[values.argmax()]}


class FolderDataSet(FolderClassificationDataSet):
    """The same under another of Musket's names."""


class AbstractImagePathDataSet(DataSet):
    """Images that are found by their names; what `y` is, a class of one's own says.

    Such a class calls `super().__init__`, sets `imageIds`, and has a `get_target(i)`.

    Args:
        imagePath: A folder, or several of which the first that has a file is taken. A path that
            does not exist is looked for below `data`, as in a project of Musket's.

    Attributes:
        imageIds: Names of files with or without ending; they are the items' ids.
    """

    def __init__(self, imagePath: Path | str | Sequence[Path | str]) -> None:
        given = [imagePath] if isinstance(imagePath, str | Path) else imagePath
        self.folders = [found_path(path) for path in given]
        for folder in self.folders:
            check_folder(folder)
        self.imageIds: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.imageIds)

    def __getitem__(self, i: int) -> PredictionItem:
        sample_id = self.get_id(i)
        return PredictionItem(sample_id, self.get_value(sample_id), self.get_target(i))

    def get_id(self, i: int) -> str:
        """Tell an item's id."""
        return str(self.imageIds[i])

    def get_value(self, im_id: str) -> Image:
        """Read an image by its name: RGB [H, W, 3].

        Raises:
            ImageProblem: If it cannot be read.
            UnsafeInputError: If the name leads out of the folder.
        """
        return read_image(self.path_of(im_id))

    def path_of(self, im_id: str) -> Path:
        """Find the file of a name; it need not exist."""
        found = [Path(path) for folder in self.folders for path in paths_of(folder, [im_id])]
        return next((path for path in found if path.is_file()), found[0])

    @abstractmethod
    def get_target(self, i: int) -> Any:
        """Tell an item's `y` without reading its image."""


@contextmanager
def looked_for_in(folders: Sequence[Path]) -> Iterator[None]:
    """Look for paths that do not exist in these folders too, while a data set is made."""
    before = _around.set(tuple(folders))
    try:
        yield
    finally:
        _around.reset(before)


def found_path(path: Path | str) -> Path:
    """Take a path as it is, or below `data` or the folders of `looked_for_in` if only there."""
    own = Path(path)
    others = [folder / own for folder in (Path("data"), *_around.get())]
    return own if own.exists() else next((other for other in others if other.exists()), own)


def source_of(dataset: Any) -> Source | None:
    """Give the source behind a data set of these classes, whose items are the same read from there.

    It reads in threads and needs no item to know an id.
    """
    if isinstance(dataset, SourceDataSet):
        return dataset.as_source()
    if type(dataset) is SubDataSet and len(set(dataset.indexes)) == len(dataset):
        source = source_of(dataset.ds)
        return None if source is None else ChosenSource(source, dataset.indexes)
    return None
