"""Images in files, and how a folder is listed."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fivefold.core.errors import DataError, UnsafeInputError
from fivefold.core.types import Floats, Image
from fivefold.data.decode import (
    DEFAULT_LIMITS,
    Decoded,
    Header,
    Limits,
    decode_sized,
    read_bytes,
    read_header,
    read_image,
    stamp_of,
)
from fivefold.data.packed import Texts, packed, packed_beside
from fivefold.data.packed_numbers import PackedTargets, packed_targets
from fivefold.data.source import Fetched, Labels, Sample, Source
from fivefold.data.text_order import sorted_texts

_NOT_IMAGES = frozenset(
    [
        ".txt",
        ".md",
        ".csv",
        ".tsv",
        ".json",
        ".jsonl",
        ".xml",
        ".yaml",
        ".yml",
        ".ini",
        ".html",
        ".htm",
        ".py",
        ".ipynb",
        ".sh",
        ".log",
        ".db",
        ".lnk",
        ".url",
    ]
)
"""Endings that nobody gives to an image; everything else is tried, so that nothing is missed."""
_FOLDER, _OUTSIDE = "a folder", "a link out of the data"
_SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Attributes:
        files: Ids of the files to read: paths relative to the folder, sorted and packed.
        excluded: Ids that a rule leaves out, each with the rule.
    """

    files: Texts
    excluded: tuple[tuple[str, str], ...]


@dataclass
class _Walk:
    """A walk below a root; links to folders are never followed, so loops end."""

    real_root: str
    excluded: list[tuple[str, str]] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def files(self, folder: Path, prefix: str) -> Iterator[str]:
        """List what may be images, one by one: there may be millions."""
        folders = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    kind = self._kind(entry)
                    if kind == _FOLDER:
                        folders.append(entry.name)
                    elif kind == _OUTSIDE:
                        self.outside.append(prefix + entry.name)
                    elif kind:
                        self.excluded.append((prefix + entry.name, kind))
                    else:
                        yield prefix + entry.name
        except OSError as error:
            msg = f"{folder}: expected a readable folder, got {error.strerror}"
            raise DataError(msg, slug="data/unreadable-folder") from error
        for name in sorted(folders):
            yield from self.files(folder / name, f"{prefix}{name}/")

    def _kind(self, entry: os.DirEntry[str]) -> str:
        """Tell what an entry is: a rule that leaves it out, or nothing for what may be an image."""
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            return "hidden"
        if entry.is_symlink() and not is_inside(Path(entry.path), self.real_root):
            return _OUTSIDE
        if entry.is_symlink() and Path(entry.path).is_dir():  # the entry's own raises for loops
            return "link-to-folder"
        if entry.is_dir(follow_symlinks=False):
            return _FOLDER
        if entry.name.lower() in _SYSTEM_FILES:
            return "system-file"
        return "not-an-image-name" if Path(entry.name).suffix.lower() in _NOT_IMAGES else ""


def list_files(root: Path) -> Listing:
    """List what may be images below a folder; the root itself may be a link.

    Hidden entries, files that systems leave, endings that are never images, and links to folders
    inside the root are excluded, each with its rule.

    Raises:
        DataError: If the folder is missing or unreadable.
        UnsafeInputError: If a link below it leaves it.
    """
    check_folder(root)
    walk = _Walk(os.path.realpath(root))
    files = sorted_texts(walk.files(root, ""))
    in_order = sorted(walk.outside, key=lambda name: name.split("/"))
    refuse_outside(root, in_order, "links that lead out of the folder")
    return Listing(files, tuple(sorted(walk.excluded)))


def check_folder(root: Path) -> None:
    """Make sure that a folder exists.

    Raises:
        DataError: If it does not.
    """
    if not root.is_dir():
        kind = "a file" if root.exists() else "nothing there"
        msg = f"{root}: expected a folder of images, got {kind}"
        raise DataError(msg, hint="check the path", slug="data/missing-folder")


def is_inside(path: Path, real_root: str) -> bool:
    """Tell whether a path, with all links followed, stays below a folder."""
    real = os.path.realpath(path)
    return os.path.commonpath([real, real_root]) == real_root


def refuse_outside(root: Path, sample_ids: Sequence[str], what: str, where: str = "") -> None:
    """Refuse ids that would be read from outside the data.

    Raises:
        UnsafeInputError: If there are any; names the first ten.
    """
    if not sample_ids:
        return
    shown = ", ".join(repr(sample_id) for sample_id in sample_ids[:10])
    more = f" and {len(sample_ids) - 10} more" if len(sample_ids) > 10 else ""
    inside = f"{where}expected images inside {root}"
    folder = inside if where else f"{root}: expected images inside this folder"
    msg = f"{folder}, got {what}: {shown}{more}"
    hint = "copy the files into the folder; the folder itself may be a link"
    raise UnsafeInputError(msg, hint=hint, slug="unsafe/outside-folder")


class FileSource(Source):
    """Samples that are one image file each.

    Args:
        sample_ids: Unique ids.
        paths: Their files, in the same order.
        labels: What the targets' columns mean.
        targets: Truth [N, C]; None without labels.
        limits: What is too large to be read.
    """

    def __init__(
        self,
        sample_ids: Sequence[str],
        paths: Iterable[Path | str],
        labels: tuple[Labels, ...] = (),
        targets: Floats | PackedTargets | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        ids = packed(sample_ids)
        self.sample_ids = ids
        self.labels = labels
        self._paths = packed_beside(map(str, paths), ids)
        self._targets = None if targets is None else packed_targets(targets)
        self._limits = limits
        self._alpha = False

    def limit(self, limits: Limits) -> None:
        """Say what is too large to be read, instead of what is usual."""
        self._limits = limits

    def show_alpha(self, wanted: bool) -> None:  # noqa: FBT001  the protocol
        """Say whether images with opacities get a fourth channel, or are laid on white."""
        self._alpha = wanted

    def sample(self, i: int) -> Sample:
        """Read and decode a file."""
        return Sample(self.sample_ids[i], self.image(i), self.target(i))

    def image(self, i: int, at_least: tuple[int, int] | None = None) -> Image:
        """Read and decode a file, a large JPEG smaller."""
        path = Path(self._paths[i])
        return read_image(path, limits=self._limits, draft_size=at_least, alpha=self._alpha)

    def target(self, i: int) -> Floats | None:
        """Tell a sample's truth [C]."""
        return None if self._targets is None else self._targets[i]

    def targets(self, positions: Sequence[int]) -> Floats:
        """Tell the truths [n, C] of some samples."""
        if self._targets is None:
            return super().targets(positions)
        return self._targets[np.asarray(positions, dtype=np.int64)]

    def fetch(self, i: int) -> Fetched:
        """Read a file once, for the SHA-256 of its bytes and for its pixels."""
        data = read_bytes(Path(self._paths[i]), limits=self._limits)

        def decode(at_least: tuple[int, int] | None) -> Decoded:
            return decode_sized(data, limits=self._limits, draft_size=at_least, alpha=self._alpha)

        return Fetched(hashlib.sha256(data).hexdigest(), decode)

    def header(self, i: int) -> Header:
        """Read how a file begins."""
        return read_header(self._paths[i], limits=self._limits)

    def stamp(self, i: int) -> str:
        """Tell a file's size and modification time; nothing where there is no such file."""
        try:
            return stamp_of(Path(self._paths[i]).stat())
        except (OSError, ValueError):
            return ""

    def path(self, i: int) -> str:
        """Tell where a file lies."""
        return self._paths[i]


class FilesSource(FileSource):
    """Images without labels: one folder with all that is below it, or chosen files.

    Args:
        paths: A folder, whose samples are named relative to it; or files and folders, whose
            samples are named by their paths.
    """

    def __init__(self, paths: Path | Sequence[Path]) -> None:
        chosen = [paths] if isinstance(paths, Path) else list(paths)
        excluded: list[tuple[str, str]] = []
        found: dict[str, Path] = {}
        for sample_id, path in _expand(chosen, excluded):
            if sample_id in found:
                msg = f"{path}: expected each image once, got it twice"
                raise DataError(msg, slug="data/duplicate-id")
            found[sample_id] = path
        super().__init__(tuple(found), tuple(found.values()))
        self.excluded = tuple(excluded)


def _expand(chosen: Sequence[Path], excluded: list[tuple[str, str]]) -> Iterator[tuple[str, Path]]:
    for path in chosen:
        if path.is_dir():
            listing = list_files(path)
            prefix = "" if len(chosen) == 1 else f"{path.as_posix()}/"
            excluded += [(prefix + name, rule) for name, rule in listing.excluded]
            yield from ((prefix + name, path / name) for name in listing.files)
        elif path.exists():
            yield (path.name if len(chosen) == 1 else path.as_posix()), path
        else:
            msg = f"{path}: expected an image or a folder of images, got nothing there"
            raise DataError(msg, hint="check the path", slug="data/missing-file")
