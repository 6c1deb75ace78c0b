"""What a fold's own process tells the one that started it."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Opened:
    """A bar was opened; its number is unique in the process."""

    bar: int
    description: str
    total: int


@dataclass(frozen=True)
class Advanced:
    """A bar has moved on by some steps."""

    bar: int
    steps: int


@dataclass(frozen=True)
class Closed:
    """A bar is over."""

    bar: int


@dataclass(frozen=True)
class Line:
    """A line is to be left for good."""

    text: str


@dataclass(frozen=True)
class Logged:
    """Something was said to a logger."""

    name: str
    level: int
    text: str


@dataclass(frozen=True)
class Ticked:
    """An epoch is over; the answer is what `Pace.tick` says of all folds together."""

    stage: int
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """Epochs need not be run."""

    stage: int
    epochs: int


@dataclass(frozen=True)
class Ended:
    """The fold is over: done where there is no error."""

    error: BaseException | None = None


Event: TypeAlias = Opened | Advanced | Closed | Line | Logged | Ticked | Skipped | Ended
