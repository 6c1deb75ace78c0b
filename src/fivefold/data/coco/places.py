"""Where in a JSON file an entry of a list stands; asked only when something is wrong with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def place_of(path: Path, data: bytes, where: tuple[str | int, ...]) -> str:
    """Word a place: "coco.json:12: annotations[3].image_id".

    Args:
        path: The file.
        data: All that is in it, of which it is known that it is JSON.
        where: A list's name, a number in it, and a key.
    """
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    line = _line(data.decode("utf-8", "replace"), where)
    return f"{path}:{line}: {words[1:]}" if line else f"{path}: {words[1:]}"


def _line(text: str, where: tuple[str | int, ...]) -> int | None:
    name, number = (*where, None, None)[:2]
    for key, start in _members(text):
        if key == name:
            start = _entry(text, start, number) if isinstance(number, int) else start
            return text.count("\n", 0, start) + 1
    return None


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Yield the keys of the outermost mapping, each with where its value begins."""
    at = _after(text, text.index("{") + 1)
    while text[at] == '"':
        key, at = _DECODER.raw_decode(text, at)
        at = _after(text, _after(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at = _after(text, at)
        at = _after(text, at + 1) if text[at] == "," else at


def _entry(text: str, start: int, number: int) -> int:
    """Find where an entry of a list begins."""
    at = _after(text, start + 1)
    for _ in range(number):
        _, at = _DECODER.raw_decode(text, at)
        at = _after(text, _after(text, at) + 1)
    return at


def _after(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
