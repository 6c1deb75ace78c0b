"""Musket's ways to add parts of one's own."""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, NoReturn, TypeAlias

from fivefold.core.catalog import Catalog
from fivefold.core.own_parts import is_own

Make: TypeAlias = Callable[..., Any]


class CatalogView(MutableMapping[str, Make]):
    """A catalog's users' own entries as the dictionary that Musket has.

    Args:
        catalog: What is read and added to.
        add: Adds a function or class under a name.
    """

    def __init__(self, catalog: Catalog[Any], add: Callable[[str, Make], object]) -> None:
        self._catalog = catalog
        self._add = add

    def __setitem__(self, name: str, make: Make) -> None:
        self._add(name, make)

    def __getitem__(self, name: str) -> Make:
        found = self._catalog.find(name)
        if found is None or not is_own(found.make):
            raise KeyError(name)
        return found.make

    def __delitem__(self, name: str) -> NoReturn:
        msg = f"{name!r} stays: what a config names cannot be taken away"
        raise TypeError(msg)

    def __iter__(self) -> Iterator[str]:
        return (c.name for c in self._catalog.components() if is_own(c.make))

    def __len__(self) -> int:
        return sum(1 for _ in self)
