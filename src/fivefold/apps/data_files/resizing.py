"""All images below a folder, resized into another one."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fivefold.apps.data_files.folder_writing import check_new_folder, new_folder
from fivefold.apps.data_files.pictures import Picture, resized
from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.durable import write_bytes
from fivefold.core.errors import ConfigError, DataError, Problem, UnsafeInputError
from fivefold.core.progress import Progress
from fivefold.data import ImageProblem
from fivefold.data.decode import read_bytes
from fivefold.data.files import Listing, is_inside, list_files
from fivefold.experiment.named_masks import find_mask_folders

LARGEST = 10_000
"""The longest side in pixels that can be asked for."""


@dataclass(frozen=True)
class Wanted:
    """How images are to be.

    Attributes:
        longest: The longer side in pixels.
        grayscale: Whether colours become grey.
        keep_metadata: Whether EXIF and colour profiles stay.
        jobs: How many are worked on at once; None decides.
        nearest: Whether all are masks, whose values stay as they are.
    """

    longest: int
    grayscale: bool = False
    keep_metadata: bool = False
    jobs: int | None = None
    nearest: bool = False


@dataclass(frozen=True)
class Resized:
    """What came of it.

    Attributes:
        images: How many were written.
        enlarged: How many of them were smaller before.
        first_only: How many had further pictures in them, which are gone.
        masks: How many were found to be masks, whose values stay as they are.
        unreadable: Names of files that could not be used, each with why.
        left_out: Rules that left files out, each with how many.
    """

    images: int
    enlarged: int
    first_only: int
    unreadable: Mapping[str, str]
    left_out: Mapping[str, int]
    masks: int = 0


def resize_folder(
    source: Path, output: Path, wanted: Wanted, *, force: bool = False, progress: Progress
) -> Resized:
    """Write every image below a folder under the same name below another one.

    Where a folder of masks is found beside that of their images, masks keep their values.

    Args:
        source: Nothing in it is changed.
        output: A new folder.
        wanted: How images are to be.
        force: Whether the folder may be there already; files of the same names are replaced.
        progress: Who watches.

    Raises:
        ConfigError: If the folder is there, among the images, or around them.
        DataError: If there is no image that can be used.
        ResourceError: If the disk is full, read-only or failing.
        UnsafeInputError: If a link below one of the folders leaves it.
    """
    if not 1 <= wanted.longest <= LARGEST:
        message = f"expected from 1 to {LARGEST} pixels, got {wanted.longest}"
        raise ConfigError([Problem("cli/max-size", "--max-size", message, "such as 256")])
    listing = list_files(source)
    _check_apart(source, output, force=force)
    if output.is_dir() and any(output.iterdir()):  # with --force, as was made sure of
        return _resized(source, output, listing, (wanted, _replace), progress)
    with new_folder(output) as folder:
        return _resized(source, folder, listing, (wanted, _put), progress)


def _resized(
    source: Path,
    folder: Path,
    listing: Listing,
    how: tuple[Wanted, Callable[[Path, str, bytes], None]],
    progress: Progress,
) -> Resized:
    wanted, write = how
    masks = _masks_below(source, listing)
    results: dict[str, str] = {}
    counts: Counter[str] = Counter()
    threads = wanted.jobs or decoding_threads()

    def each(name: str) -> Picture | ImageProblem:
        try:
            picture = resized(
                read_bytes(source / name),
                wanted.longest,
                grayscale=wanted.grayscale,
                keep_metadata=wanted.keep_metadata,
                nearest=wanted.nearest or name in masks,
            )
        except ImageProblem as problem:
            return problem
        write(folder, name, picture.data)
        return picture

    done = map_ahead(each, listing.files, threads=threads, ahead=4 * threads)
    with progress.bar("resizing", len(listing.files)) as advance, closing(done):
        for name, found in zip(listing.files, done, strict=True):
            advance(1)
            if isinstance(found, ImageProblem):
                results[name] = str(found)
                continue
            counts["images"] += 1
            counts["masks"] += name in masks
            counts["enlarged"] += found.before < wanted.longest
            counts["first_only"] += found.first_only
    _check_any(source, counts["images"], list(results.items()))
    left_out = Counter(rule for _, rule in listing.excluded)
    return Resized(
        images=counts["images"],
        enlarged=counts["enlarged"],
        first_only=counts["first_only"],
        unreadable=results,
        left_out=dict(sorted(left_out.items())),
        masks=counts["masks"],
    )


def _masks_below(source: Path, listing: Listing) -> frozenset[str]:
    """Find the masks among files of a folder."""
    found = find_mask_folders(source)
    if found is None:
        return frozenset()
    _, folder, pairs = found
    paths = ((folder / name).resolve() for name in pairs.masks)
    root = source.resolve()
    below = {path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)}
    return frozenset(below & set(listing.files))


def _check_apart(source: Path, output: Path, *, force: bool) -> None:
    if not force or not output.is_dir():
        check_new_folder(output, source)
    if is_inside(output, os.path.realpath(source)) or is_inside(source, os.path.realpath(output)):
        message = f"expected a folder apart from the images, got one with or inside {str(source)!r}"
        hint = "nothing is written among the images that are read: choose another place"
        raise ConfigError([Problem("cli/output-in-data", str(output), message, hint)])


def _put(folder: Path, name: str, data: bytes) -> None:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _replace(output: Path, name: str, data: bytes) -> None:
    target = output / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_inside(target.parent, os.path.realpath(output)):
        msg = f"{target.parent}: expected a folder inside {output}, got a link that leads out of it"
        raise UnsafeInputError(msg, hint="remove the link", slug="unsafe/outside-folder")
    write_bytes(target, data)


def _check_any(source: Path, images: int, unreadable: Sequence[tuple[str, str]]) -> None:
    if images:
        return
    found = f"{len(unreadable):,} files of which none can be read" if unreadable else "none"
    msg = f"{source}: expected images, got {found}"
    hint = f"the first is {unreadable[0][0]!r}: {unreadable[0][1]}" if unreadable else ""
    raise DataError(msg, hint=hint, slug="data/no-readable-image")
