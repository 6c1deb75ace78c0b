"""Packages that are only needed for some commands."""

import importlib
import importlib.util
from types import ModuleType

from fivefold.core.errors import MissingExtraError


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module, or say how to install it.

    Raises:
        MissingExtraError: If it is not installed.
    """
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        msg = f"this needs the package {module!r}, which is not installed"
        raise MissingExtraError(msg, hint=f'pip install "fivefold[{extra}]"')
    return importlib.import_module(module)
