"""One folder per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError
from fivefold.data.files import FileSource, list_files
from fivefold.data.name_twins import told_twins
from fivefold.data.packed import chosen
from fivefold.data.packed_numbers import targets_in_parts
from fivefold.data.source import Labels, in_class_order, sources


@sources.add(name="folder")
class FolderSource(FileSource):
    """Images in one folder per class; folders inside a class belong to it.

    A folder without any file that may be an image is no class.

    Args:
        root: The folder that holds the classes; may be a link.
    """

    def __init__(self, root: Path) -> None:
        listing = list_files(root)
        folders = {entry.name for entry in root.iterdir() if entry.is_dir() and _is_class(entry)}
        inside = np.fromiter(("/" in name for name in listing.files), bool, len(listing.files))
        names = chosen(listing.files, np.flatnonzero(inside))
        class_names = in_class_order(name.partition("/")[0] for name in names)
        loose = [
            (listing.files[k], "outside-class-folders") for k in np.flatnonzero(~inside).tolist()
        ]
        if not class_names:
            raise _no_classes(root, len(folders), len(loose))
        column = {name: position for position, name in enumerate(class_names)}
        classes = np.fromiter((column[name.partition("/")[0]] for name in names), np.int64)
        one_hot = np.eye(len(class_names), dtype=np.float32)
        targets = targets_in_parts(len(names), lambda places: one_hot[classes[places]])
        labels = (Labels("", class_names, exclusive=True),)
        super().__init__(names, (root / name for name in names), labels, targets)
        self.excluded = tuple(sorted([*listing.excluded, *loose]))
        empty = _empty_folders(in_class_order(folders - set(class_names)))
        self.warnings = (*empty, *told_twins(names))


def _is_class(folder: Path) -> bool:
    return not (folder.is_symlink() or folder.name.startswith(".") or folder.name == "__MACOSX")


def _empty_folders(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    listed = ", ".join(map(repr, names))
    if len(names) == 1:
        return (f"folder {listed} has no images: it is no class",)
    return (f"folders {listed} have no images: they are no classes",)


def _no_classes(root: Path, num_folders: int, num_files: int) -> DataError:
    folders = f"{num_folders or 'no'} folder{'s' * (num_folders != 1)}"
    found = f"{folders}{' without images' * bool(num_folders)}"
    found += f" and {num_files} file{'s' * (num_files != 1)}" if num_files else ""
    found = found if num_folders or num_files else "nothing"
    msg = f"{root}: expected one folder per class, got {found}"
    hint = "put the images of each class into a folder with the class's name, or use a CSV table"
    return DataError(msg, hint=hint, slug="data/no-classes")
