"""Where callbacks may write: below the experiment's folder, and apart from fivefold's own files."""

import os
from pathlib import Path

_LONGEST = 200  # of 255 that file systems take; the fold's and stage's numbers follow
_OWN = {
    *("weights", "metrics", "predictions", "examples", "pictures", "data", "state"),
    *("config.yaml", "manifest.json", "summary.yaml", "report.html"),
}


def inside(path: str) -> str:
    """Keep a config from writing where it has no business."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        msg = "a path inside the experiment's folder"
        raise ValueError(msg)
    if not path.isprintable() or max(len(os.fsencode(part)) for part in parts) > _LONGEST:
        msg = f"a path of printable characters, each part of at most {_LONGEST} bytes"
        raise ValueError(msg)
    return path


def apart(folder: str) -> str:
    """Keep what is written for other tools out of fivefold's own files."""
    if Path(folder).parts[0] in _OWN:
        msg = "a folder that has no other files of the experiment, such as 'logs'"
        raise ValueError(msg)
    return folder
