"""Every error that a user can meet, and the shape of its message.

FivefoldError                                       exit
├── ConfigError        every problem of a config      2
├── MissingExtraError  an optional package            2
├── DataError          images, tables, labels         3
├── StateError         resume mismatch, damage        4
├── LockedError        the run folder is in use       5
├── ResourceError      disk, memory, file handles     6
├── NumericError       NaN or infinity                7
├── UnsafeInputError   refused for safety             8
└── WorkerError        a process or rank was lost     9

A message says `where: what: expected …, got …`, and one indented line says what to do.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, worded for the person who has to mend it.

    Attributes:
        slug: Stable name, a heading of `docs/errors.md`, such as `config/unknown-key`.
        where: `file:line:column` of a config, or the path of a file; may be empty.
        message: One lower-case sentence without a full stop; shows the value that came.
        hint: What to do about it; may be empty.
    """

    slug: str
    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{self.where}: {self.message}" if self.where else self.message
        return f"{line}\n    {self.hint}" if self.hint else line


class FivefoldError(Exception):
    """The root of all errors that fivefold raises on purpose.

    Args:
        message: Where, what, expected, got.
        hint: What to do about it.
        slug: The stable name of this error; the class has a general one.
    """

    exit_code: ClassVar[int] = 1
    default_slug: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", slug: str = "") -> None:
        self.slug = slug or self.default_slug
        self.hint = hint
        super().__init__(f"{message}\n    {hint}" if hint else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Tell how an error is made again in another process: as it is, with slug and hint."""
        return _made_again, (type(self), self.args, vars(self))


def _made_again(
    kind: type[FivefoldError], args: tuple[Any, ...], attributes: Mapping[str, Any]
) -> FivefoldError:
    error = kind.__new__(kind, *args)  # a message that is worded already needs no __init__
    vars(error).update(attributes)
    return error


class ConfigError(FivefoldError):
    """A config cannot be used; carries every problem, not only the first."""

    exit_code = 2
    default_slug = "config"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)), slug=problems[0].slug if problems else "")


class MissingExtraError(FivefoldError):
    """An optional package is needed and not installed."""

    exit_code = 2
    default_slug = "missing-extra"


class DataError(FivefoldError):
    """Images, tables or labels cannot be used."""

    exit_code = 3
    default_slug = "data"


class StateError(FivefoldError):
    """A run folder cannot be continued: it is damaged, or the config or data changed."""

    exit_code = 4
    default_slug = "state"


class LockedError(FivefoldError):
    """Another process works in the run folder."""

    exit_code = 5
    default_slug = "locked"


class ResourceError(FivefoldError):
    """Disk, memory or file handles ran out."""

    exit_code = 6
    default_slug = "resource"


class NumericError(FivefoldError):
    """A loss or a metric became NaN or infinite."""

    exit_code = 7
    default_slug = "numeric"


class UnsafeInputError(FivefoldError):
    """An input was refused because reading it could run code or leave its folder."""

    exit_code = 8
    default_slug = "unsafe"


class WorkerError(FivefoldError):
    """A worker process or a rank was lost."""

    exit_code = 9
    default_slug = "worker"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that a mistyped one most likely means, whatever its case."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Word the hint for a wrong name: the closest one, else `otherwise`."""
    match = closest(name, known)
    return f"did you mean {match!r}?" if match else otherwise
