"""Which tar files a name with braces or asterisks means."""

import re
from collections.abc import Iterator
from pathlib import Path

from fivefold.core.errors import DataError

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)", re.ASCII)
_MOST = 100_000


def shard_paths(pattern: Path) -> list[Path]:
    """Find the files that a pattern names, in its order; those of asterisks sorted.

    Args:
        pattern: `{000..009}` counts, `{a,b}` lists, `*` and `?` stand for what is there.

    Raises:
        DataError: If one is missing, or there are too many.
    """
    paths = [path for text in _expanded(str(pattern)) for path in _found(Path(text))]
    missing = [path for path in paths if not path.exists()]
    if missing or not paths:
        first = str(missing[0]) if missing else str(pattern)
        got = f"nothing at {first!r}" + (f" and {len(missing) - 1} more" if missing[1:] else "")
        msg = f"{pattern}: expected tar files, got {got}"
        hint = "`{000..009}` stands for ten numbers of three digits, `*.tar` for what is there"
        raise DataError(msg, hint=hint, slug="data/missing-shards")
    twice = len(paths) - len(set(paths))
    if twice:
        msg = f"{pattern}: expected each tar file once, got {twice} of them again"
        raise DataError(msg, slug="data/missing-shards")
    return paths


def _expanded(text: str) -> Iterator[str]:
    """Write out all braces, the last ones counting fastest."""
    total = 1
    for match in _BRACES.finditer(text):
        total *= len(_choices(match[1]))
    if total > _MOST:
        msg = f"{text}: expected at most {_MOST:,} tar files, got {total:,}"
        raise DataError(msg, slug="data/missing-shards")
    yield from _written_out(text)


def _written_out(text: str) -> Iterator[str]:
    match = _BRACES.search(text)
    if match is None:
        yield text
        return
    before, after = text[: match.start()], text[match.end() :]
    for choice in _choices(match[1]):
        yield from (f"{before}{choice}{rest}" for rest in _written_out(after))


def _choices(inside: str) -> list[str] | range:
    match = _RANGE.fullmatch(inside)
    if match is None:
        return inside.split(",")
    low, high = int(match[1]), int(match[2])
    if abs(high - low) >= _MOST:
        return range(abs(high - low) + 1)
    width = len(match[1]) if match[1].startswith("0") else 0
    numbers = range(low, high + 1) if low <= high else range(low, high - 1, -1)
    return [f"{number:0{width}d}" for number in numbers]


def _found(path: Path) -> list[Path]:
    if path.exists() or not set("*?") & set(str(path)):
        return [path]
    anchor = Path(path.anchor)
    return sorted(anchor.glob(str(path.relative_to(anchor))))
