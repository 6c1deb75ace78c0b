"""Arguments from Python: what is of the wrong kind is told by its name before anything is done."""

import math
import operator
import os
from pathlib import Path
from typing import Any, NoReturn

from fivefold.core.errors import ConfigError, Problem
from fivefold.core.validation import shown


def as_path(name: str, value: Any) -> Path:
    """Take what names a file or a folder.

    Args:
        name: Of the argument, for the message.
        value: What was given.

    Raises:
        ConfigError: If it is neither text nor a path.
    """
    if not isinstance(value, str | os.PathLike) or value == "":
        refuse_argument(name, "a path", value)
    return Path(value)


def as_whole(name: str, value: Any) -> int:
    """Take a whole number, also NumPy's; see `as_path`.

    Raises:
        ConfigError: If it is none.
    """
    try:
        found = operator.index(value)
    except TypeError:
        found = None
    if found is None or isinstance(value, bool):
        refuse_argument(name, "a whole number", value)
    return found


def as_number(name: str, value: Any) -> float:
    """Take a finite number, also NumPy's; see `as_path`.

    Raises:
        ConfigError: If it is none.
    """
    if not is_number(value):
        refuse_argument(name, "a number", value)
    return float(value)


def is_number(value: Any) -> bool:
    """Say whether something is a finite number, also one of NumPy's; true and false are none."""
    try:
        finite = math.isfinite(value)
    except (TypeError, OverflowError):
        return False
    return finite and not isinstance(value, bool)


def refuse_argument(name: str, expected: str, value: Any) -> NoReturn:
    """Raise the error of an argument of the wrong kind.

    Raises:
        ConfigError: Always.
    """
    got = "None" if value is None else shown(value)
    message = f"{name}: expected {expected}, got {got}"
    raise ConfigError([Problem("config/bad-value", "", message)])
