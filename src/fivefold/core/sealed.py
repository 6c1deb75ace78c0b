"""JSON records that carry a hash over themselves: an edit is found when they are read back."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from fivefold.core.damage import checked
from fivefold.core.durable import read_json, write_json
from fivefold.core.errors import StateError

T = TypeVar("T")

FORMAT, SEAL = "format", "seal"


def write_sealed(path: Path, record: Mapping[str, Any], *, version: int) -> str:
    """Replace a record durably, with its hash; the same record gives the same bytes.

    Args:
        path: The JSON file.
        record: JSON values, without the keys `format` and `seal`.
        version: Of the record's format.

    Returns:
        The SHA-256 of the file.
    """
    # As they will be read: JSON makes text of every key and lists of tuples.
    plain = json.loads(json.dumps({**record, FORMAT: version}, allow_nan=False))
    return write_json(path, {**plain, SEAL: _seal_of(plain)})


def read_sealed(path: Path, kind: type[T], *, version: int, hint: str = "") -> T:
    """Read a record that nobody has changed.

    Args:
        path: What `write_sealed` wrote.
        kind: A dataclass or a pydantic model; see `checked`.
        version: Of the format that can be read.
        hint: The way out if it is damaged.

    Raises:
        StateError: If it is missing, was changed, is of another format or does not fit `kind`.
    """
    record = read_json(path, hint=hint)
    seal = record.pop(SEAL, None)
    if seal is None or seal != _found_seal(record):
        msg = f"{path}: expected a record with the hash that it was written with, got another"
        raise StateError(msg, hint=hint, slug="state/damaged")
    if record.pop(FORMAT, None) != version:
        msg = f"{path}: expected format {version}, got one of another version of fivefold"
        raise StateError(msg, hint="finish the run with that version", slug="state/format")
    return checked(path, kind, record, hint)


def _found_seal(record: Mapping[str, Any]) -> str:
    try:
        return _seal_of(record)
    except (ValueError, RecursionError):  # NaN, or nested too deep: no record of ours
        return ""


def _seal_of(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
