"""Values that know where they stand: what a config is before it has types."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Step: TypeAlias = str | int


class Place(NamedTuple):
    """A position in a text, both counted from 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True)
class Node:
    """One value of a config.

    Attributes:
        value: A scalar, or further nodes.
        place: Where the value begins.
        key: The key that it stands behind, as written; empty in a list.
        key_place: Where that key begins.
        override: `--set KEY` if the value came from the command line.
        file: Where it stands, if that is not the config itself.
        size: How many values it holds, itself included, aliases written out.
        height: How many levels it holds, itself included.
    """

    value: "Scalar | dict[str, Node] | list[Node]"
    place: Place = START
    key: str = ""
    key_place: Place | None = None
    override: str = ""
    file: str = ""
    size: int = 1
    height: int = 1

    @property
    def shown_place(self) -> Place:
        """Where to point: at the value, or at its key when the value begins on a later line."""
        if self.key_place and self.key_place.line != self.place.line:
            return self.key_place
        return self.place

    def where(self, name: str) -> str:
        """Word the place for a message.

        Args:
            name: The name of the config's file.
        """
        return self.override or at(self.file or name, self.shown_place)

    def with_children(self, value: "dict[str, Node] | list[Node]") -> "Node":
        """Hold other values at the same place."""
        return replace(self, value=value)


def at(name: str, place: Place) -> str:
    """Word a place as `file:line:column`."""
    return f"{name}:{place.line}:{place.column}"


def plain(node: Node) -> Any:
    """Give the values without their places: dictionaries, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def child(node: Node, step: Step) -> Node | None:
    """Take one step down: a key, a list position, or the name of an item of a list.

    `augmentation: [Fliplr, Affine: {…}]` has its names one level deeper than a mapping would; a
    name finds them all the same, and so does a position with a name after it, in both.
    """
    if isinstance(node.value, dict):
        return node.value.get(str(step)) or _at_position(node, step)
    if not isinstance(node.value, list):
        return None
    if isinstance(step, int):
        return node.value[step] if 0 <= step < len(node.value) else None
    return next(_named(node.value, step), None)


def _at_position(node: Node, step: Step) -> Node | None:
    """Give one key of a mapping as a mapping of its own."""
    if not isinstance(node.value, dict) or not isinstance(step, int):
        return None
    name, item = dict(enumerate(node.value.items())).get(step, ("", None))
    return None if item is None else replace(item, value={name: item})


def _named(items: list[Node], name: str) -> Iterator[Node]:
    for item in items:
        if item.value == name:
            yield item
        elif isinstance(item.value, dict) and name in item.value:
            yield item.value[name]


def walk(node: Node, path: Sequence[Step]) -> list[Node]:
    """Follow a path as far as it is known; begins with the node itself."""
    nodes = [node]
    for step in path:
        found = child(nodes[-1], step)
        if found is None:
            break
        nodes.append(found)
    return nodes
