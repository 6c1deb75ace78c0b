"""Folders of classes as they are written: new ones, whole or not at all."""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from fivefold.apps.data_files.reading import file_name
from fivefold.core.ahead import map_ahead
from fivefold.core.cores import decoding_threads
from fivefold.core.durable import TEMPORARY, resource_error
from fivefold.core.errors import ConfigError, DataError, Problem, ResourceError
from fivefold.core.progress import Progress
from fivefold.core.types import AnyArray
from fivefold.data.files import list_files
from fivefold.data.source import Labels
from fivefold.experiment.named_data import Opened

Link: TypeAlias = Literal["copy", "hard", "symbolic"]

_MOST_BYTES = 255
_SHOWN = 5


def write_folder(
    opened: Opened,
    labels: Labels,
    keep: AnyArray,
    output: Path,
    link: Link,
    progress: Progress,
) -> int:
    """Put each image's file into the folder of its class.

    Files keep their names; where ids begin with their class already, as those of a folder do,
    nothing is put before them.

    Args:
        opened: The data.
        labels: Their classes, of which every image has exactly one.
        keep: Which samples, as a mask [N].
        output: A folder that is not there or empty.
        link: Whether files are copied, or share their content by a link.
        progress: Who watches.

    Returns:
        How many images there are.

    Raises:
        ConfigError: If the folder has something in it, or hard links cannot lead there.
        DataError: If images have several classes, are missing, or could not be read back.
        ResourceError: If the disk is full, read-only or failing; there is then no new folder.
    """
    check_new_folder(output, opened.images_dir)
    places = _places(opened, labels, np.flatnonzero(keep).tolist())
    with new_folder(output) as folder:
        try:
            _fill(folder, places, link, progress)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            message = f"expected a folder on the disk of {opened.images_dir}, got another disk"
            hint = "hard links stay on one disk: use --link copy"
            raise ConfigError([Problem("cli/link", str(output), message, hint)]) from error
        if link != "symbolic":
            _check_read_back(folder, places)
    return len(places)


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Give a folder to write into; it gets its name when all is well, and else goes.

    Args:
        output: What it will be called; not there, or an empty folder.

    Raises:
        ResourceError: If the disk is full, read-only or failing.
    """
    temporary = output.absolute().parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _take_name(temporary, output)
    except OSError as error:
        raise _refusal(error, temporary, output) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refusal(error: OSError, temporary: Path, output: Path) -> ResourceError:
    """Name the image that cannot be read, or else the folder that cannot be written."""
    # Who copies names the source and then the target; one that is alone is what was refused.
    alone = str(error.filename or "") if error.filename2 is None else ""
    if alone and not alone.startswith(str(temporary)):
        return resource_error(alone, error, "read")
    return resource_error(output, error)


def check_new_folder(output: Path, source: Path) -> None:
    """Refuse a folder that has something in it, or lies among the data.

    Raises:
        ConfigError: If it does.
    """
    found = ""
    if output.is_symlink():
        found = "a link"
    elif output.is_dir() and any(output.iterdir()):
        found = "one with something in it"
    elif output.exists() and not output.is_dir():
        found = "a file"
    if found:
        message = f"expected a new folder, got {found}"
        hint = "folders are not replaced: choose another name"
        raise ConfigError([Problem("cli/output-exists", str(output), message, hint)])
    if Path(os.path.realpath(output)).is_relative_to(os.path.realpath(source)) and source.is_dir():
        message = f"expected a folder apart from the images, got one inside {str(source)!r}"
        hint = "the next listing of the images would find it: choose another place"
        raise ConfigError([Problem("cli/output-in-data", str(output), message, hint)])


def _places(opened: Opened, labels: Labels, rows: Sequence[int]) -> dict[str, str]:
    """Settle the name of each file below the new folder: names to where they lie now."""
    source = opened.source
    classes = [_class_of(opened, labels, k) for k in rows]
    for name in set(classes):
        _check_class(opened, name)
    ids = [source.sample_ids[k] for k in rows]
    begins = all(i.startswith(f"{name}/") for i, name in zip(ids, classes, strict=True))
    places: dict[str, str] = {}
    missing: list[str] = []
    for k, sample_id, name in zip(rows, ids, classes, strict=True):
        path = source.path(k)
        if not os.path.isfile(path):  # noqa: PTH113  pathlib's raises where a name is too long
            missing.append(sample_id)
            continue
        target = f"{'' if begins else name + '/'}{file_name(sample_id, path)}"
        if target in places:
            msg = f"{opened.path}: expected each file once, got {target!r} twice"
            raise DataError(msg, hint="remove one of its rows", slug="data/duplicate-id")
        places[target] = path
    if missing:
        shown = ", ".join(map(repr, missing[:_SHOWN])) + (", …" if missing[_SHOWN:] else "")
        msg = f"{opened.path}: expected a file for each image, got none for {len(missing):,}: "
        hint = "say where they are with --images, or take the rows out"
        raise DataError(msg + shown, hint=hint, slug="data/missing-file")
    return places


def _class_of(opened: Opened, labels: Labels, k: int) -> str:
    target = opened.source.target(k)
    true = np.flatnonzero(target) if target is not None else np.zeros(0, np.int64)
    if len(true) != 1:
        found = "none" if not len(true) else " and ".join(labels.class_names[c] for c in true[:3])
        sample_id = opened.source.sample_ids[k]
        msg = f"{opened.path}: {sample_id}: expected one class for a folder of classes, got {found}"
        hint = "write a table or a COCO file: they can hold any number"
        raise DataError(msg, hint=hint, slug="data/several-labels")
    return labels.class_names[int(true[0])]


def _check_class(opened: Opened, name: str) -> None:
    hidden = name.startswith(".") or name == "__MACOSX"
    long = len(name.encode("utf-8", "surrogateescape")) > _MOST_BYTES
    if "/" in name or hidden or long:
        msg = f"{opened.path}: expected classes that a folder can be named after, got {name!r:.80}"
        hint = "rename the class, or write a table or a COCO file"
        raise DataError(msg, hint=hint, slug="data/class-name")


def _fill(folder: Path, places: Mapping[str, str], link: Link, progress: Progress) -> None:
    for parent in sorted({str(Path(name).parent) for name in places}):
        (folder / parent).mkdir(parents=True, exist_ok=True)
    put = _WAYS[link]
    threads = decoding_threads()

    def each(pair: tuple[str, str]) -> None:
        put(os.path.realpath(pair[1]), folder / pair[0])

    done = map_ahead(each, places.items(), threads=threads, ahead=8 * threads)
    with progress.bar("files", len(places)) as advance, closing(done):
        for _ in done:
            advance(1)


def _copy(source: str, target: Path) -> None:
    shutil.copyfile(source, target)


def _hard(source: str, target: Path) -> None:
    os.link(source, target)


def _symbolic(source: str, target: Path) -> None:
    target.symlink_to(source)


_WAYS: Mapping[Link, Callable[[str, Path], None]] = {
    "copy": _copy,
    "hard": _hard,
    "symbolic": _symbolic,
}


def _check_read_back(folder: Path, places: Mapping[str, str]) -> None:
    """Make sure that a listing finds all files: it leaves some names out."""
    lost = sorted(places.keys() - set(list_files(folder).files))
    if lost:
        msg = f"expected names that a listing of a folder takes, got {lost[0]!r}"
        msg += f" and {len(lost) - 1} more" if lost[1:] else ""
        hint = "hidden names and endings such as .txt are no images in a folder: write a table"
        raise DataError(msg, hint=hint, slug="data/name-left-out")


def _take_name(folder: Path, output: Path) -> None:
    """Have everything on the disk, and give the folder its name in one step."""
    if hasattr(os, "sync"):  # not on Windows
        os.sync()
    if output.is_dir():
        output.rmdir()  # empty
    folder.rename(output)
