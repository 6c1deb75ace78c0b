"""What people and scripts read: results on standard output, talk on standard error."""

import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from fivefold.core.progress import Terminal

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"
_CLEAR_LINE = "\r\x1b[K"
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def open_streams() -> None:
    """Make both outputs usable, whatever the shell has done to them.

    A closed one leads nowhere. What its encoding lacks becomes `?` in results, which stay as long
    as they were, and an escape in talk, where it tells one path from another.
    """
    sys.stdout = _usable(sys.stdout, "replace")
    sys.stderr = _usable(sys.stderr, "backslashreplace")


def close_streams() -> bool:
    """Put out what is left; say whether standard output took it.

    Without this Python complains about a reader who has gone, and changes the exit code.
    """
    _drain(sys.stderr)
    return _drain(sys.stdout)


def _usable(stream: TextIO | None, errors: str) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8", errors=errors)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=errors)
    return stream


def _drain(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        # a stream that is no file has nothing to lead elsewhere
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


@contextmanager
def starting(text: str = "Starting: loading PyTorch …") -> Iterator[None]:
    """Show on a terminal what is going on before there can be a bar; gone when the block ends.

    Args:
        text: One line. Where standard error is no terminal, nothing is written.
    """
    if sys.stderr.isatty():
        _Note.show(text)
    try:
        yield
    finally:
        _Note.clear()


class _Note:
    """The line that stands on the terminal until something else is to be written there."""

    shown = False

    @classmethod
    def show(cls, text: str) -> None:
        cls.shown = True
        cls._write(text)

    @classmethod
    def clear(cls) -> None:
        if cls.shown:
            cls.shown = False
            cls._write(_CLEAR_LINE)

    @staticmethod
    def _write(text: str) -> None:
        # talk stops no work when nobody listens any more
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def say(text: str) -> None:
    """Talk to the person at the terminal, above the bars if there are any."""
    _put(_harmless(text))


def _put(text: str) -> None:
    _Note.clear()
    if "tqdm" in sys.modules:
        Terminal().line(text)
        return
    # talk stops no work when nobody listens any more
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """Report an error; the word "error" in red where it lands on a terminal."""
    prefix = f"{_RED}error:{_PLAIN} " if sys.stderr.isatty() else ""
    _put(prefix + _harmless(text))


def show(text: str) -> None:
    """Put out a line that scripts may read."""
    print(text)


def show_json(value: Any) -> None:
    """Put out JSON; NaN becomes null, since JSON has none."""
    show(json.dumps(_jsonable(value), indent=2, ensure_ascii=False))


def show_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, texts: Sequence[int] = (0,)
) -> None:
    """Put out a table; it is never cut when it goes to a file or a pipe.

    Args:
        header: A title for each column.
        rows: Their cells.
        texts: Columns that stand to the left; the others hold numbers.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    class Pipe(Console):
        """Leaves it to the guard that the reader has gone; rich would end with 1."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number in texts else "right", overflow="fold")
    for row in rows:
        table.add_row(*(_harmless(cell).replace("\n", "\\n") for cell in row))
    width = None if sys.stdout.isatty() else 10_000
    Pipe(markup=False, highlight=False, emoji=False, width=width).print(table)


def show_pairs(pairs: Sequence[tuple[str, str]], file: TextIO | None = None) -> None:
    """Put out labels and values in two columns."""
    width = max((len(label) for label, _ in pairs), default=0)
    for label, value in pairs:
        print(f"{label:<{width}}  {_harmless(value)}", file=file or sys.stdout)


def _harmless(text: str) -> str:
    """Write signs that steer a terminal or turn texts around as escapes: names may have them."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def start_logging() -> None:
    """Send what the layers below say to standard error, each sentence once."""
    logger = logging.getLogger("fivefold")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [_Talk()]


def warned_before(texts: Iterable[str], place: Path) -> None:
    """Have warnings that an earlier start gave told in one line, instead of each again.

    Args:
        texts: The warnings.
        place: The file that keeps them.
    """
    for handler in logging.getLogger("fivefold").handlers:
        if isinstance(handler, _Talk):
            handler.before |= dict.fromkeys(texts, f"warnings as before: they are in {place}")


class _Talk(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.before: dict[str, str] = {}
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            text = self.before.get(text) or f"warning: {text}"
        if text not in self._said:
            self._said.add(text)
            say(text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value if isinstance(value, str | int | None) else _other(value)


def _other(value: Any) -> Any:
    """Turn a NumPy scalar into a number, and anything else into text."""
    return _jsonable(value.item()) if hasattr(value, "item") else str(value)
