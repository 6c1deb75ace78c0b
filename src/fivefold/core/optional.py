"""Packages that are loaded when they are needed, or only needed for some commands."""

import importlib
import importlib.util
from types import ModuleType
from typing import Any

from fivefold.core.errors import MissingExtraError


class _Late(ModuleType):
    """Stands for a module that is imported when something of it is first used."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, found)  # asked once: some of them are used for every image
        return found


def late(module: str) -> ModuleType:
    """Stand in for a module that takes seconds to import, until something of it is used.

    So a catalog can list what it has, and check the options of each, without torch. The other
    branch is what type checkers see::

        if TYPE_CHECKING:
            from torch import Tensor
            from torch.nn import functional
        else:
            functional, Tensor = late("torch.nn.functional"), Any

    Args:
        module: Its full name. Nothing in it may be used while the caller is being imported.
    """
    return _Late(module)


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module, or say how to install it.

    Raises:
        MissingExtraError: If it is not installed.
    """
    check_installed(module, extra=extra)
    return importlib.import_module(module)


def check_installed(module: str, *, extra: str, what: str = "this") -> None:
    """Say how to install an optional module that is not there, without importing it.

    Args:
        module: Its name.
        extra: What of fivefold brings it along.
        what: Who needs it.

    Raises:
        MissingExtraError: If it is not installed.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        msg = f"{what} needs the package {module!r}, which is not installed"
        raise MissingExtraError(msg, hint=f'pip install "fivefold[{extra}]"')
