"""What a run reads back is held against what was written, and the way out of damage is named."""

import re
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from fivefold.core.errors import StateError
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.validation import explain

T = TypeVar("T")

_PLACE = re.compile(r"(?:best|validation|holdout)-(\d+)\.(\d+)")
_TOGETHER = re.compile(r"holdout\.\d+")
_OTHERWISE = "the file was changed or damaged after it was written; restore it or make it again"


def checked(path: Path, kind: type[T], value: object, hint: str = "") -> T:
    """Make a dataclass or a pydantic model of what was read from a file.

    Args:
        path: The file, for the message.
        kind: What its content should be; its annotations say types and ranges.
        value: Mappings, lists and plain values.
        hint: The way out.

    Raises:
        StateError: If anything is missing, of another type or out of range.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        complaint = explain(error.errors(include_url=False)[0])
        key = ".".join(map(str, complaint.path))
        msg = ": ".join(part for part in (str(path), key, complaint.message) if part)
        raise StateError(msg, hint=hint, slug="state/damaged") from error


def way_out(path: Path) -> str:
    """Say what to do about a damaged file of a finished stage: its weights, or its predictions."""
    match = _PLACE.fullmatch(path.stem)
    root = path.parent.parent
    folder = RunFolder(root, root / CONFIG_NAME)
    if path.parent.name == "predictions" and _TOGETHER.fullmatch(path.stem):
        return f"delete it and {folder.summary_path}; `fivefold fit` then predicts it again"
    if match is None:
        return _OTHERWISE
    fold, stage = int(match[1]), int(match[2])
    again = (folder.maps("validation", fold, stage), folder.predictions("holdout", fold, stage))
    if path in again:
        return f"delete it and {folder.summary_path}; `fivefold fit` then predicts it again"
    results = folder.results(fold, stage)
    if path not in results:
        return _OTHERWISE
    names = [result.relative_to(root).as_posix() for result in results]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"in {root} delete {listed}; `fivefold fit` then trains from this stage on again"
