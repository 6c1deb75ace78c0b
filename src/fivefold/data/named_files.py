"""Files that ids name, below one folder and never outside of it."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from fivefold.data.files import is_inside, refuse_outside

_ENDINGS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".gif",
    ".PNG",
    ".JPG",
    ".JPEG",
)
_DRIVE_OR_SHARE = re.compile(r"^([A-Za-z]:[\\/]|\\\\)")
_ODD = re.compile(r"^\.?/|//|/\.(/|$)|/$")
"""What pathlib would write in another way."""


def paths_of(
    images_dir: Path,
    ids: Sequence[str],
    extension: str | None = None,
    place: Callable[[int], str] | None = None,
) -> Iterator[str]:
    """Find each id's file; it need not exist.

    Args:
        images_dir: The folder.
        ids: Names below it, with or without ending.
        extension: The ending to try first where there is no file of the name itself.
        place: Says where the id at a position comes from, for the message.

    Raises:
        UnsafeInputError: Behind the last one, if any lies outside the folder, whatever links or
            dots say.
    """
    named, inside = _Named(images_dir, extension), _Inside(images_dir)
    outside: list[str] = []
    first = 0
    for i, sample_id in enumerate(ids):
        path, is_link = named.find(sample_id)
        if _leaves(sample_id) or not inside.holds(path, is_link=is_link):
            first = first if outside else i
            outside.append(sample_id)
        yield path
    where = f"{place(first)}: " if place and outside else ""
    refuse_outside(images_dir, outside, "paths that lead out of it", where)


def paths_in(
    folders: Sequence[Path],
    ids: Sequence[str],
    extension: str | None = None,
    place: Callable[[int], str] | None = None,
) -> Iterator[str]:
    """Find each id's file in the first of several folders that has it; it need not exist.

    Args:
        folders: At least one.
        ids: Names below one of them, with or without ending.
        extension: The ending to try first where there is no file of the name itself.
        place: Says where the id at a position comes from, for the message.

    Raises:
        UnsafeInputError: As `paths_of`.
    """
    found = [paths_of(folder, ids, extension, place) for folder in folders]
    for some in zip(*found, strict=True):
        yield next((path for path in some if is_file(path)), some[0])


def file_of(images_dir: Path, sample_id: str, extension: str | None) -> str:
    """Find the file that an id names, with or without its ending; it need not exist."""
    return _Named(images_dir, extension).find(sample_id)[0]


class _Named:
    """Finds the files of ids by as few questions as there can be: there may be millions.

    Args:
        images_dir: The folder.
        extension: The ending to try first where there is no file of the name itself.
    """

    def __init__(self, images_dir: Path, extension: str | None) -> None:
        self._root = images_dir
        self._before = "" if images_dir == Path() else f"{images_dir}{os.sep}"
        own = [f".{extension.lstrip('.')}"] if extension else []
        self._endings = ("", *own, *_ENDINGS)

    def find(self, sample_id: str) -> tuple[str, bool]:
        """Give an id's file, and whether that is a link; it need not exist."""
        odd = _ODD.search(sample_id)
        name = str(self._root / sample_id) if odd else self._before + sample_id
        for ending in self._endings:
            path = name + ending
            mode = _mode(path)
            if stat.S_ISREG(mode):
                return path, False
            if stat.S_ISLNK(mode) and is_file(path):
                return path, True
        return name, stat.S_ISLNK(_mode(name))


def _mode(path: str) -> int:
    """Tell what is at a path, of a link that it is one; 0 where nothing is."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):  # such as a name that is too long
        return 0


def is_file(path: str) -> bool:
    """Tell whether there is a file; no name is too long to be asked for."""
    return os.path.isfile(path)  # noqa: PTH113  pathlib's raises where a name is too long


class _Inside:
    """Follows the links of each folder once, not of each file: there may be millions.

    Args:
        root: Nothing outside of it is inside.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._folders: dict[str, bool] = {}

    def holds(self, path: str, *, is_link: bool) -> bool:
        """Tell whether a path, with all links followed, stays below the root."""
        if is_link:
            return is_inside(Path(path), self._root)
        folder = os.path.dirname(path)  # noqa: PTH120  a Path for each of them takes longer
        if folder not in self._folders:
            self._folders[folder] = is_inside(Path(folder), self._root)
        return self._folders[folder]


def _leaves(sample_id: str) -> bool:
    parts = PurePosixPath(sample_id).parts if ".." in sample_id else ()
    return ".." in parts or "\0" in sample_id or bool(_DRIVE_OR_SHARE.match(sample_id))
