"""The user's own code, of which keys have to know: components, and the files that they may use."""

import ast
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any

from fivefold.augment import augmenters
from fivefold.augment.mixing import mixers
from fivefold.config import ExperimentConfig
from fivefold.core.catalog import Catalog, Component
from fivefold.core.segmenters import own_segmenters
from fivefold.data.source import sources
from fivefold.engine.callbacks import callbacks
from fivefold.evaluation import mask_metrics, metrics
from fivefold.experiment.imports import modules_of
from fivefold.losses import losses
from fivefold.models.names import backbones
from fivefold.optim import optimizers, schedules

_CATALOGS: tuple[Catalog[Any], ...] = (
    augmenters,
    backbones,
    callbacks,
    losses,
    mask_metrics,
    metrics,
    mixers,
    optimizers,
    own_segmenters,
    schedules,
    sources,
)
_OURS = __name__.partition(".")[0]
_PACKAGE = Path(__file__).parents[1]
_INSTALLED = ("site-packages", "dist-packages")
"""Folders of packages that were installed: their versions speak for them."""


def is_code_known(config: ExperimentConfig) -> bool:
    """Tell whether a key can speak for all code that computes an experiment's results.

    Own code that `imports` names may do anything, also read files that are no code; a component
    without a file could change unseen.
    """
    return not config.runs_code and own_code() is not None


def without_file() -> str:
    """Name a component whose code is in no file, such as a cell of a notebook; nothing if none."""
    for component in _components():
        try:
            _file_of(component).read_bytes()
        except (OSError, TypeError):
            return component.name
    return ""


def own_code() -> list[str] | None:
    """Digest the code that may have a part in components that fivefold does not bring.

    These are the components' files, every other loaded file that neither comes with Python nor was
    installed (a component may call it, directly or not), and the versions of the packages that
    all of them import. Where there is no such component, nothing else counts.

    Returns:
        File name and SHA-256, package and version; sorted. None where a component has no file, or
        a file cannot be read.
    """
    components = _components()
    try:
        files = {_file_of(component) for component in components}
        if files:
            files |= set(_loaded())
        contents = {path: path.read_bytes() for path in files}
    except (OSError, TypeError):
        return None
    found = {f"{path.name} {hashlib.sha256(data).hexdigest()}" for path, data in contents.items()}
    sources = [data for path, data in contents.items() if path.suffix == ".py"]
    names = {name for data in sources for name in _imported(data)}
    modules = {component.make.__module__.partition(".")[0] for component in components}
    found |= {text for name in names | modules if (text := _version(name))}
    return sorted(found)


def part_files(config: ExperimentConfig) -> dict[str, str]:
    """Digest the files of a config's `imports` and of the parts that users have added.

    Returns:
        File name to SHA-256 in hex; without what is in no file, or cannot be read.
    """
    paths = {Path(str(module.__file__)) for module in modules_of(config)}
    for component in _components():
        with suppress(TypeError):  # from a notebook, or written in C
            paths.add(_file_of(component))
    found = {}
    for path in sorted(paths):
        with suppress(OSError):
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _components() -> list[Component[Any]]:
    found = (component for catalog in _CATALOGS for component in catalog.components())
    return [c for c in found if c.make.__module__.partition(".")[0] != _OURS]


def _file_of(component: Component[Any]) -> Path:
    return Path(inspect.getfile(inspect.unwrap(component.make)))


def _loaded() -> Iterator[Path]:
    """Find the files of all loaded modules but Python's, installed ones, and ours."""
    for module in list(sys.modules.values()):
        file = _place_of(module)
        if file and not file.startswith(_places()) and not set(Path(file).parts) & {*_INSTALLED}:
            yield Path(file)


def _place_of(module: ModuleType) -> str:
    """Tell where a module was loaded from; nothing where that is no file."""
    spec = getattr(module, "__spec__", None)
    if spec is None:  # a program has none; what was made by hand may claim any file
        return getattr(module, "__file__", None) or "" if module.__name__ == "__main__" else ""
    return spec.origin or "" if spec.has_location else ""


@cache
def _places() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    folders = [paths[name] for name in names] + [str(_PACKAGE)]
    return tuple(f"{folder}/" for folder in folders) + tuple(f"{folder}\\" for folder in folders)


@lru_cache(maxsize=1024)
def _imported(source: bytes) -> frozenset[str]:
    """Name the packages that a file imports anywhere, also within a function."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):  # edited since it was loaded; its digest tells
        return frozenset()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    names += [node.module for node in froms if node.module]
    return frozenset(name.partition(".")[0] for name in names)


@cache
def _version(name: str) -> str:
    """Tell the version of an installed package by a module's name; nothing for other modules."""
    if name in sys.stdlib_module_names or name == _OURS:
        return ""
    for distribution in (name, *_distributions().get(name, ())):
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return ""


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: sorted(set(found)) for name, found in packages_distributions().items()}
