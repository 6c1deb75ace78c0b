"""YAML of many alike files: what stands under one top-level key is read once, however often met.

Reading YAML in Python takes milliseconds a file; the files of a search differ in few lines.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

from fivefold.config.document import read
from fivefold.config.nodes import plain
from fivefold.core.errors import FivefoldError, StateError

_TOP = re.compile(r"^(?=[^\s#\-\]}])", re.MULTILINE)
_NUMBER = r"-?(?:\d+(?:\.\d*)?(?:e[-+]?\d+)?|\.inf)|\.nan"
_NUMBERS = re.compile(rf"\w+:\n(?:  [\w.]+: (?:{_NUMBER})\n)+", re.ASCII)
_STAGES = re.compile(
    rf"stages:\n(?=- )(?:(?:- |  )[\w.]+:\n(?:    [\w.]+: (?:{_NUMBER})\n)+)+", re.ASCII
)
_HINT = "mend the file, or take it away"


def blocks(text: str) -> dict[str, str] | None:
    """Cut a text at the lines that begin with a key.

    Returns:
        Key to the lines from it to the next; None if it cannot be cut so, and is to be read whole.
    """
    head, *parts = _TOP.split(text.removeprefix("\ufeff"))
    keys = [part.partition(":")[0] for part in parts if ":" in part]
    sound = all(key.isidentifier() for key in keys) and len(set(keys)) == len(parts)
    if not sound or any(line.strip() and line[0] != "#" for line in head.splitlines()):
        return None
    return dict(zip(keys, parts, strict=True))


def mapping_of(text: str, name: str) -> dict[str, Any]:
    """Read the mapping of a YAML text, whatever its keys are.

    Args:
        text: The text.
        name: What messages call it.

    Raises:
        FivefoldError: If it is no mapping in YAML.
    """
    found: dict[str, Any] = {}
    cut = blocks(text)
    for key, block in (cut or {}).items():
        part = value_of(block)
        if part is None or part.keys() != {key}:
            return _whole(text, name)
        found |= part
    return found if cut else _whole(text, name)


def value_of(block: str) -> dict[str, Any] | None:
    """Read the lines of one key; None if they mean nothing without the others.

    A summary's numbers are in no other file, so remembering them is of no use: they are read here.
    """
    found: Any = None
    if _NUMBERS.fullmatch(block):
        key, *lines = block.splitlines()
        found = _numbers(lines)
        return {key[:-1]: found} if found else _read_once(block)
    if _STAGES.fullmatch(block):
        found = _stages(block.splitlines()[1:])
    return {"stages": found} if found else _read_once(block)


def _stages(lines: Sequence[str]) -> list[dict[str, dict[str, int | float]]] | None:
    """Read metrics of several stages, as a summary writes them; None if a key stands twice."""
    starts = [i for i, line in enumerate(lines) if not line.startswith("    ")]
    stages: list[dict[str, dict[str, int | float]]] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        name, numbers = lines[start][2:-1], _numbers(lines[start + 1 : end])
        if lines[start].startswith("- "):
            stages.append({})
        if numbers is None or name in stages[-1]:
            return None
        stages[-1][name] = numbers
    return stages


def _numbers(lines: Sequence[str]) -> dict[str, int | float] | None:
    """Read `name: number` lines; None if a name stands twice."""
    pairs = [line.strip().split(": ") for line in lines]
    found = {name: _number(text) for name, text in pairs}
    return found if len(found) == len(lines) else None


def _number(text: str) -> int | float:
    """Read a number; `.nan` and `.inf` have no dot in Python."""
    plain_text = text.replace(".nan", "nan").replace(".inf", "inf")
    return int(text) if text.removeprefix("-").isdigit() else float(plain_text)


@functools.lru_cache(maxsize=10_000)
def _read_once(block: str) -> dict[str, Any] | None:
    try:
        return _whole(block, "")
    except FivefoldError:
        return None


def _whole(text: str, name: str) -> dict[str, Any]:
    root, problems = read(text, name)
    value = plain(root)
    if problems:
        raise StateError(str(problems[0]), slug=problems[0].slug)
    if not isinstance(value, dict):
        msg = f"{name}: expected a mapping of keys to values"
        raise StateError(msg, hint=_HINT, slug="state/damaged")
    return value
