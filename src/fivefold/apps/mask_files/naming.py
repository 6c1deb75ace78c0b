"""What files of samples are called: like them, never two alike, never outside of their folder."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

_MOST_BYTES = 120
"""Of a part of a name: file systems have 255, and endings and temporary names need some."""
_NO_NAME = re.compile('[\x00-\x1f\x7f<>:"|?*\ud800-\udc7f\udd00-\udfff]')
"""What names may not have here or on Windows, but for bytes of file names that are no text."""


def file_stems(ids: Sequence[str]) -> list[str]:
    """Name files after samples: their ids without the ending, folders and all.

    Where that would name two alike, also for a file system that does not know upper from lower
    case, they keep their endings; where that is not enough, or a file would be called like a
    folder, they are numbered. A place outside, such as `../x`, becomes one inside.

    Args:
        ids: Unique; the order decides numbers.

    Returns:
        A path with forward slashes for each, to which an ending can be added.
    """
    whole = [_inside(sample_id) for sample_id in ids]
    short = [_without_ending(name) for name in whole]
    often = Counter(map(str.casefold, short))
    pairs = zip(short, whole, strict=True)
    wanted = [stem if often[stem.casefold()] == 1 else name for stem, name in pairs]
    return _told_apart(wanted, {folder for name in wanted for folder in _folders(name.casefold())})


def folder_names(class_names: Sequence[str]) -> list[str]:
    """Name folders after classes, no two alike."""
    return _told_apart([plain_name(name.replace("/", "_")) for name in class_names], set())


def _told_apart(names: Sequence[str], folders: set[str]) -> list[str]:
    taken, found = set[str](), list[str]()
    for name in names:
        stem, number = name, 1
        while stem.casefold() in taken or _is_folder(stem.casefold(), folders):
            number += 1
            stem = f"{name}-{number}"
        taken.add(stem.casefold())
        found.append(stem)
    return found


def plain_name(text: str) -> str:
    """Turn any text into the name of a file or a folder."""
    plain = _NO_NAME.sub("_", text).rstrip(". ")
    if not plain or plain.startswith("."):
        plain = f"_{plain[1:]}"
    data = plain.encode("utf-8", "surrogateescape")
    if len(data) <= _MOST_BYTES:
        return plain
    digest = hashlib.sha256(data).hexdigest()[:12]
    return f"{data[: _MOST_BYTES - 13].decode('utf-8', 'ignore')}-{digest}"


def _inside(sample_id: str) -> str:
    parts = [part for part in sample_id.replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(plain_name(part) for part in parts) or "_"


def _without_ending(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    stem, _, ending = last.rpartition(".")
    is_ending = bool(stem) and 0 < len(ending) <= 5 and not ending.isdigit()
    return f"{folder}{slash}{stem}" if is_ending else name


def _folders(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:k]) for k in range(1, len(parts))]


def _is_folder(stem: str, folders: set[str]) -> bool:
    """Say whether a file of this stem would be called like a folder, whatever it ends in."""
    return any(f"{stem}{ending}" in folders for ending in (".png", ".npy"))
