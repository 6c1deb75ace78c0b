"""How long work still takes, without knowing who watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
    """Bars with the time left, and lines, on standard error; works in notebooks too."""

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a bar that is hidden when nobody looks at a terminal."""
        from tqdm.auto import tqdm  # noqa: PLC0415  only who watches pays for it

        with tqdm(total=total, desc=description, leave=False, disable=None, delay=0.5) as bar:
            yield lambda steps: bar.update(steps) and None

    def line(self, text: str) -> None:
        """Write a line above the bars."""
        from tqdm.auto import tqdm  # noqa: PLC0415  only who watches pays for it

        # tqdm's default is standard output, which belongs to results
        tqdm.write(text, file=sys.stderr)
