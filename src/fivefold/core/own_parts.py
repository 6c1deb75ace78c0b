"""Parts that users bring themselves: what is wrong with them is told by the line of their file."""

import inspect
import sysconfig
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn, TypeAlias

from fivefold.core.errors import ConfigError, FivefoldError, Problem

_OURS = __name__.partition(".")[0]
_PACKAGE = Path(__file__).parents[1]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_HINT = "docs/custom-parts.md shows one of each kind that works"


@dataclass(frozen=True)
class Part:
    """One component that does not come with fivefold.

    Attributes:
        kind: What it is: "loss", "metric".
        name: Under which it is listed.
        make: The user's function or class.
        facts: What was said about it when it was registered.
    """

    kind: str
    name: str
    make: Callable[..., Any]
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"

    @contextmanager
    def at_work(self, *, let_by: Callable[[Exception], bool] | None = None) -> Iterator[None]:
        """Tell by file and line what its code raises.

        Args:
            let_by: Says which errors whoever calls knows better.

        Raises:
            ConfigError: Instead of whatever the code raises; fivefold's own errors, lack of memory
                and what is let by stay as they are.
        """
        try:
            yield
        except (FivefoldError, MemoryError):
            raise
        except Exception as error:
            if _is_of_memory(error) or (let_by is not None and let_by(error)):
                raise
            text = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
            message = f"{self}: expected this code to run, got {text}"
            raise ConfigError(
                [Problem("config/part-failed", _line(error, self.make), message)]
            ) from error

    def refuse_result(self, expected: str, got: str) -> NoReturn:
        """Tell that its code has given something else than it should.

        Raises:
            ConfigError: Always.
        """
        message = f"{self}: expected {expected}, got {got}"
        raise ConfigError([Problem("config/part-result", place_of(self.make), message, _HINT)])

    def refuse(self, expected: str, got: str) -> NoReturn:
        """Tell that it cannot be registered as it is.

        Raises:
            ConfigError: Always.
        """
        message = f"{self}: expected {expected}, got {got}"
        raise ConfigError([Problem("config/bad-part", place_of(self.make), message, _HINT)])

    def check_parameters(self, takes: Sequence[str]) -> None:
        """Make sure that the engine can call it.

        Args:
            takes: What it is given by position. A class is given its options alone.

        Raises:
            ConfigError: If it takes less or more.
        """
        given = () if isinstance(self.make, type) else takes
        signature = inspect.signature(self.make)
        required = {
            p.name: None
            for p in signature.parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        }
        try:
            signature.bind(*given, **required)
        except TypeError:
            wanted = f"({', '.join(given)})" if given else "no parameter without a name"
            self.refuse(f"a function of {wanted}, and options after a `*`", str(signature))


Guard: TypeAlias = Callable[[Part], Callable[..., Any]]
"""Makes of a part what does the same, and tells what is wrong with it by `Part`'s errors."""


def is_own(make: Callable[..., Any]) -> bool:
    """Say whether a function or class is a user's, and not one of fivefold's."""
    return make.__module__.partition(".")[0] != _OURS


def shape_text(value: object) -> str:
    """Name a value's type, and its shape: "ndarray of shape (3, 4) and type int64"."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    name = type(value).__name__
    return name if shape is None else f"{name} of shape {tuple(shape)} and type {dtype}"


def place_of(make: Callable[..., Any]) -> str:
    """Say where a function or class is written: "file:line", or nothing where nobody knows."""
    code = _code_of(make)
    if code:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:  # a class without a function that was written
        return f"{inspect.getfile(make)}:{inspect.getsourcelines(make)[1]}"
    except (OSError, TypeError):
        return ""


def _code_of(make: Callable[..., Any]) -> CodeType | None:
    """Find the code of a function, or the first that a user wrote of a class."""
    found: Any = inspect.unwrap(make)
    if not isinstance(found, type):
        code = getattr(found, "__code__", None)
        return code if isinstance(code, CodeType) else None
    functions = [vars(found).get("__init__"), *vars(found).values()]
    codes = (getattr(function, "__code__", None) for function in functions)
    # dataclasses bring functions of their own
    return next((code for code in codes if code and _is_written(code.co_filename)), None)


def _line(error: BaseException, make: Callable[..., Any]) -> str:
    """Find the innermost line of the user's own code that an error came through."""
    code = _code_of(make)
    own = code.co_filename if code else ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [
        f"{f.filename}:{f.lineno}" for f in frames if f.filename == own or _is_written(f.filename)
    ]
    return lines[-1] if lines else place_of(make)


def _is_written(file: str) -> bool:
    """Say whether a file is a user's that can be opened at a line, and not made by a program."""
    return is_users_file(file) and not file.startswith("<")


def is_users_file(file: str) -> bool:
    """Say whether code of a file is neither fivefold's, nor Python's, nor of an installed package.

    Args:
        file: As a code object names it; what was typed in is called "<stdin>" or "<string>".
    """
    path = Path(file)
    if not path.is_absolute():
        return file.startswith("<") and not file.startswith("<frozen")
    if _INSTALLED & {*path.parts}:
        return False
    return not any(path.is_relative_to(folder) for folder in _not_users())


@cache
def _not_users() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return (
        _PACKAGE,
        *(Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    )


def _is_of_memory(error: Exception) -> bool:
    # torch's errors are RuntimeErrors of many words; core knows no torch
    text = str(error)
    return isinstance(error, RuntimeError) and any(
        words in text for words in ("out of memory", "allocate memory", "not enough memory")
    )
