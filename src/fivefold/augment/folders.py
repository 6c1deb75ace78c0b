"""Folders that augmenters name, such as that of other backgrounds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fivefold.augment.catalog import FOLDER, augmenters
from fivefold.augment.pipeline import Items


def located(items: Items, directory: Path) -> Items:
    """Let relative folders begin at a directory, at any depth.

    Args:
        items: Names and options, right or wrong, in order.
        directory: Where the config lies.
    """
    return [(name, _options(name, value, directory)) for name, value in items]


def folders_in(items: Items) -> list[Path]:
    """List the folders that located augmenters read, in the order in which they are named."""
    return [Path(folder) for name, value in items for folder in _named(name, value)]


def _options(name: object, value: Any, directory: Path) -> Any:
    inner, option = _inside(value, directory), _folder_option(name)
    if not option:
        return inner
    if isinstance(inner, str):
        return _place(inner, directory)
    if isinstance(inner, Mapping) and isinstance(inner.get(option), str):
        return {**inner, option: _place(inner[option], directory)}
    return inner


def _inside(value: Any, directory: Path) -> Any:
    if isinstance(value, Mapping):
        return {name: _options(name, inner, directory) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(inner, directory) for inner in value]
    return value


def _named(name: object, value: Any) -> Iterator[str]:
    option = _folder_option(name)
    if option and isinstance(value, str):
        yield value
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _named("", inner)
    if isinstance(value, Mapping):
        if option and isinstance(value.get(option), str):
            yield value[option]
        for key, inner in value.items():
            yield from _named(key, inner)


def _folder_option(name: object) -> str:
    component = augmenters.find(str(name)) if name else None
    return str(component.facts.get(FOLDER, "")) if component else ""


def _place(folder: str, directory: Path) -> str:
    """Find a folder; one that is written as on Windows is found elsewhere too."""
    path = directory / Path(folder).expanduser()
    return str(path if path.exists() else directory / Path(folder.replace("\\", "/")).expanduser())
