"""Augmenters inside another, such as `OneOf`: written in a config as those at the top are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import AfterValidator, AliasChoices, BeforeValidator

from fivefold.augment.catalog import augmenters
from fivefold.augment.changes import Change, Step, draw_changes
from fivefold.core.catalog import Component

CHILDREN = "children"
"""The fact of a component that names the option which a bare list of augmenters goes to."""


@dataclass(frozen=True)
class Item:
    """One augmenter as it was written.

    Attributes:
        path: What leads to its options from the list or mapping around it.
        name: Its name.
        value: What stood behind the name.
    """

    path: tuple[str | int, ...]
    name: str
    value: Any


@dataclass(frozen=True)
class Children:
    """Several augmenters in order."""

    items: tuple[Item, ...]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What draws a change of each; their names and options have been checked."""
        return tuple(make_step(item.name, item.value) for item in self.items)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Change, ...]:
        """Draw the changes of all, one after another."""
        return draw_changes(self.steps, rng, height, width)


def read_children(value: Any) -> Children:
    """Read one name, `{Name: options, …}` or `[Name, Name: options, …]`; nothing means none.

    Raises:
        ValueError: If it is none of them.
    """
    if isinstance(value, Children):
        return value
    return Children(tuple(_items(value)))


def _items(value: Any) -> Iterator[Item]:
    if isinstance(value, str):
        yield Item((), value, None)
    elif isinstance(value, Mapping):
        yield from (Item((str(name),), str(name), options) for name, options in value.items())
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield _item(position, item)
    elif value is not None:
        raise _refusal()


def _item(position: int, item: Any) -> Item:
    if isinstance(item, str):
        return Item((position,), item, None)
    if isinstance(item, Mapping) and len(item) == 1:
        name, options = next(iter(item.items()))
        return Item((position, str(name)), str(name), options)
    raise _refusal()


def _refusal() -> ValueError:
    return ValueError("augmenters: a mapping of names, or a list of names and single mappings")


def _some(children: Children) -> Children:
    if not children.items:
        msg = "at least one augmenter"
        raise ValueError(msg)
    return children


ChildrenOption: TypeAlias = Annotated[Children, BeforeValidator(read_children)]
SomeChildren: TypeAlias = Annotated[ChildrenOption, AfterValidator(_some)]
OptionalChildren: TypeAlias = Annotated[Children | None, BeforeValidator(read_children)]


def options_of(component: Component[Change], value: object) -> tuple[object, bool]:
    """Turn what stands behind a name into options, and say whether augmenters stood there bare.

    `OneOf: [Fliplr: 1, Flipud: 1]` and `OneOf: {Fliplr: 1, Flipud: 1}` mean its children.
    """
    option = component.facts.get(CHILDREN)
    if option is None or not isinstance(value, str | Mapping | list | tuple):
        return value, False
    known = {text for name in component.options.model_fields for text in spellings(component, name)}
    if isinstance(value, Mapping) and (not value or any(str(key) in known for key in value)):
        return value, False
    return {option: value}, True


def spellings(component: Component[Change], option: str) -> list[str]:
    """List how an option may be written."""
    alias = component.options.model_fields[option].validation_alias
    return [str(name) for name in alias.choices] if isinstance(alias, AliasChoices) else [option]


def make_step(name: str, value: object) -> Step:
    """Make what draws the changes of one augmenter, whose options have been checked."""
    component = augmenters.get(name)
    options, _ = component.check(options_of(component, value)[0])
    return partial(component.make, **options)
