"""Imports timm without torch's compiler, which takes as long to import as all the rest.

Two things of timm's import ask for the compiler. torchvision takes one function from it, which only
a detector calls; and timm marks methods as not to be compiled. fivefold compiles nothing.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo"
_TRIED = {"torchvision": "0.29.", "timm": "1.0."}
"""Versions that are known to take but functions from the compiler."""


def import_timm() -> None:
    """Import timm; the compiler is imported later, if something of it is ever called."""
    loaded = {*_TRIED, _COMPILER} & sys.modules.keys()
    if not loaded and all(version(name).startswith(tried) for name, tried in _TRIED.items()):
        import torch  # noqa: F401, PLC0415  before there are stand-ins in it

        with _stand_ins():
            import timm  # noqa: PLC0415  takes seconds
    import timm  # noqa: F401, PLC0415


class _StandIn(ModuleType):
    """Has functions of every name, each of which imports the true module when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def later(*args: Any, **options: Any) -> Any:
            _remove_stand_ins()
            return getattr(importlib.import_module(self.__name__), name)(*args, **options)

        return later

    def disable(self, function: Callable[..., Any], *_: object, **__: object) -> Any:
        """Leave a function alone: it is not compiled anyway."""
        return function


@contextmanager
def _stand_ins() -> Iterator[None]:
    for name in (_COMPILER, f"{_COMPILER}.utils"):
        sys.modules.setdefault(name, _StandIn(name))
    try:
        yield
    finally:
        _remove_stand_ins()


def _remove_stand_ins() -> None:
    for name, module in list(sys.modules.items()):
        if isinstance(module, _StandIn):
            del sys.modules[name]
