"""How long work still takes, without knowing who watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol


class Progress(Protocol):
    """Somebody who watches."""

    def bar(self, description: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Open a bar; the value is a function that moves it on by some steps."""
        ...

    def line(self, text: str) -> None:
        """Leave one line for good, such as an epoch's numbers."""
        ...


class Silent:
    """Nobody watches."""

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002  the protocol's names
        """Do nothing."""
        yield lambda steps: None  # noqa: ARG005  the protocol's names

    def line(self, text: str) -> None:
        """Do nothing."""


class Terminal:
    """Bars with the time left, and lines, on standard error; works in notebooks too.

    It is only talk: work goes on when whoever listened has gone.
    """

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a bar that is hidden when nobody looks at a terminal."""
        from tqdm.auto import tqdm  # noqa: PLC0415  only who watches pays for it

        # None hides the bar unless standard error is a terminal
        hidden = getattr(sys.stderr, "closed", sys.stderr is None) or None
        bar = tqdm(total=total, desc=description, leave=False, disable=hidden, delay=0.5)

        def advance(steps: int) -> None:
            with _maybe_alone():
                bar.update(steps)

        try:
            yield advance
        finally:
            with _maybe_alone():
                bar.close()
                _to_the_margin()

    def line(self, text: str) -> None:
        """Write a line above the bars."""
        from tqdm.auto import tqdm  # noqa: PLC0415  only who watches pays for it

        # tqdm's default is standard output, which belongs to results
        if sys.stderr is not None:
            with _maybe_alone():
                tqdm.write(text, file=sys.stderr)


def _to_the_margin() -> None:
    """Move the cursor of a terminal to the left: tqdm leaves it behind a bar below another one."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\r")
        sys.stderr.flush()


def _maybe_alone() -> AbstractContextManager[None]:
    """Go on where the other end of standard error is gone or it was closed."""
    return suppress(OSError, ValueError)
