"""Users' own callbacks: what they raise is told by the line of their file."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from fivefold.core.own_parts import Part, shape_text


def guarded(kind: type, part: Part) -> Callable[..., Any]:
    """Make a callback whose methods tell what is wrong with a user's one.

    Args:
        kind: What it has to be derived from.
        part: The user's.
    """

    def callback(**options: Any) -> Any:
        with part.at_work():
            made = part.make(**options)
        if not isinstance(made, kind):
            part.refuse_result(
                f"an object of a class derived from {kind.__name__}", shape_text(made)
            )
        for name, _ in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                # a frozen dataclass would refuse to be changed
                object.__setattr__(made, name, _guarded(part, getattr(made, name)))
        return made

    return callback


def _guarded(part: Part, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def run(*args: Any) -> Any:
        with part.at_work():
            return method(*args)

    return run
