"""A Python file of the user's, run to make its data set."""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from fivefold.core import musket_imports
from fivefold.core.errors import DataError, FivefoldError, did_you_mean
from fivefold.core.progress import Progress
from fivefold.data.channels import AT_START
from fivefold.data.python_class import PythonSource
from fivefold.data.source import sources


@sources.add(name="python")
def open_python(
    spec: str,
    directory: Path,
    args: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> PythonSource:
    """Run a Python file of the user's and make its data set; whoever calls has the user's consent.

    Args:
        spec: `file.py:Name`, a class or function to call, or a data set that is there already.
        directory: Where relative paths start.
        args: What the class or function is called with.
        progress: Who watches the labels being collected.

    Raises:
        DataError: If the file or the name is missing, or the code raises.
    """
    file_name, _, name = spec.rpartition(":")
    path = directory / file_name
    if not (file_name and name and path.is_file()):
        msg = f"dataset.python: expected 'file.py:Name' with an existing file, got {spec!r}"
        raise DataError(msg, hint=f"looked for {path}", slug="data/python-file")
    musket_imports.install()
    with _of_the_user(path, name):
        with _importable(path.parent):
            dataset = _made(path, name, args or {})
        source = PythonSource(dataset, progress=progress)
        source.trust.before = AT_START  # it was made just now, so it does not own that
        return source


def _made(path: Path, name: str, args: Mapping[str, Any]) -> Any:
    module = _load(path)
    made = getattr(module, name, None)
    dataset = made(**args) if callable(made) else made
    if dataset is None:
        raise _no_such_name(path, module, name)
    return dataset


@contextlib.contextmanager
def _of_the_user(path: Path, name: str) -> Iterator[None]:
    """Name the user's file in whatever its code raises, an end of the process too."""
    try:
        yield
    except (FivefoldError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        msg = f"{path}: {name}: expected a data set, got {type(error).__name__}: {error}"
        raise DataError(msg, hint="the error is in this file", slug="data/python-code") from error


def _load(path: Path) -> ModuleType:
    module_name = f"fivefold_dataset_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        msg = f"the name must end in .py: {path.name!r}"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _importable(directory: Path) -> Iterator[None]:
    """Let a file import its neighbours, for as long as it is loaded and called."""
    entry = str(directory.resolve())
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


def _no_such_name(path: Path, module: ModuleType, name: str) -> DataError:
    msg = f"{path}: expected {name!r} to make a data set, got nothing"
    known = [key for key in vars(module) if not key.startswith("_")]
    return DataError(msg, hint=did_you_mean(name, known), slug="data/python-file")
