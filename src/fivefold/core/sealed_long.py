"""Sealed records of which one member is too long to be held: written and read entry by entry.

The files are those of `core.sealed`, byte by byte.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from fivefold.core.durable import Streamed, resource_error
from fivefold.core.sealed import FORMAT, SEAL

Take: TypeAlias = Callable[[Any], None]
"""Gets some entries: a list of values, or a mapping."""

_AT_ONCE = 512
_CLOSE = {"[": "]", "{": "}"}


def write_sealed_long(
    path: Path, record: Mapping[str, Any], key: str, entries: Iterable[Any], *, version: int
) -> None:
    """Replace a sealed record durably; see `core.sealed.write_sealed`.

    Args:
        path: The JSON file.
        record: All of it but the long member, `format` and `seal`.
        key: Of the long member; it must sort before `seal`.
        entries: Mappings or lists of plain values, none empty: those of a list. Or pairs of a key
            and such a value: those of a mapping, sorted by key.
        version: Of the record's format.

    Raises:
        ResourceError: If the disk is full, read-only or failing; the old file is untouched.
    """
    if key >= SEAL:
        msg = f"expected a key that sorts before {SEAL!r}, got {key!r}"
        raise ValueError(msg)
    plain = json.loads(json.dumps({**record, FORMAT: version}, allow_nan=False))
    try:
        with Streamed(path.parent) as streamed:
            for text in _texts(plain, key, iter(entries)):
                streamed.file.write(text.encode("ascii"))
            streamed.commit(path)
    except OSError as error:
        raise resource_error(path, error) from error


def _texts(record: Mapping[str, Any], key: str, entries: Iterator[Any]) -> Iterator[str]:
    """Write a record as `json.dumps(…, indent=2, sort_keys=True)` does, with its seal."""
    first = next(entries, None)
    bracket = "{" if isinstance(first, tuple) else "["
    before = {name: value for name, value in record.items() if name < key}
    seal = _Seal(before, key, bracket)
    yield f"{_indented(before)[:-2]},\n" if before else "{\n"
    yield f"  {json.dumps(key)}: {bracket}"
    if first is not None:
        yield "\n"
        yield _entry(first, seal)
        for entry in entries:
            yield ",\n" + _entry(entry, seal)
        yield "\n  "
    after = {name: value for name, value in record.items() if name > key}
    yield f"{_CLOSE[bracket]},\n" + _indented({**after, SEAL: seal.closed(after)})[2:] + "\n"


def _entry(entry: Any, seal: "_Seal") -> str:
    """Write one entry on lines of its own, and make it count for the seal."""
    name, value = entry if isinstance(entry, tuple) else ("", entry)
    prefix = f"{json.dumps(name)}:" if isinstance(entry, tuple) else ""
    seal.add(prefix + _compact(value))
    # Of plain values this is what `indent` gives, which makes Python's slow encoder run.
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",\n      ", ": "))
    return f"    {prefix}{' ' * bool(prefix)}{text[0]}\n      {text[1:-1]}\n    {text[-1]}"


def read_sealed_long(path: Path, key: str, take: Take, *, version: int) -> dict[str, Any] | None:
    """Read a sealed record of which one member is long, if it is written as we write it.

    Args:
        path: What `write_sealed_long` or `write_sealed` wrote.
        key: Of the long member.
        take: Gets its entries, some at a time: a list, or a mapping; may raise `ValueError` where
            they are not as they should be. What it got counts only if the record is returned.
        version: Of the format that can be read.

    Returns:
        The rest of the record; None if `read_sealed` has to judge the file: it was changed, or is
        laid out in another way, or there is none.
    """
    try:
        with path.open(encoding="ascii") as file:
            record, seal = _read(file, key, take)
    except (OSError, ValueError, RecursionError):
        return None
    found = record.pop(SEAL, None)
    return record if found == seal and record.pop(FORMAT, None) == version else None


def _read(file: TextIO, key: str, take: Take) -> tuple[dict[str, Any], str]:
    opening = {f"  {json.dumps(key)}: {bracket}\n": bracket for bracket in _CLOSE}
    lines, bracket = list[str](), ""
    for line in file:
        bracket = opening.get(line, "")
        if bracket:
            break
        lines.append(line)
    if not bracket:
        msg = f"expected a line with {key!r}, got none"
        raise ValueError(msg)
    before = json.loads("".join(lines).rstrip(",\n") + "}")
    seal = _Seal(before, key, bracket)
    for text in _parts(file, f"  {_CLOSE[bracket]}"):
        part = json.loads(bracket + text.rstrip(",\n") + _CLOSE[bracket])
        seal.add(_compact(part)[1:-1])
        take(part)
    after = json.loads("{" + file.read())
    rest = {name: value for name, value in after.items() if name != SEAL}
    return {**before, **after}, seal.closed(rest)


def _parts(file: TextIO, end: str) -> Iterator[str]:
    """Join the lines of some entries at a time; `end` is the line that is none of theirs."""
    lines, whole = list[str](), 0
    for line in file:
        if line.startswith(end):
            break
        lines.append(line)
        whole += line.startswith(("    }", "    ]"))
        if whole == _AT_ONCE:
            yield "".join(lines)
            lines, whole = [], 0
    if lines:
        yield "".join(lines)


class _Seal:
    """The hash of a record that is written compactly, bit by bit; see `core.sealed`."""

    def __init__(self, before: Mapping[str, Any], key: str, bracket: str) -> None:
        self._hasher = hashlib.sha256()
        self._bracket, self._between = bracket, ""
        self._add(_compact(before)[:-1] + "," * bool(before) + f"{json.dumps(key)}:{bracket}")

    def add(self, entries: str) -> None:
        self._add(self._between + entries)
        self._between = ","

    def closed(self, after: Mapping[str, Any]) -> str:
        self._add(_CLOSE[self._bracket] + "," * bool(after) + _compact(after)[1:])
        return self._hasher.hexdigest()

    def _add(self, text: str) -> None:
        self._hasher.update(text.encode("ascii"))


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False)
