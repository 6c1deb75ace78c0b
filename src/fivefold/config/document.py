"""From YAML text to nodes: no tags, no surprises, within limits.

The parser's events are read one by one with a stack of our own, so that a hostile file is refused
before it has grown in memory.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from fivefold.config.nodes import Node, Place, at
from fivefold.config.scalars import resolve
from fivefold.core.errors import ConfigError, Problem, UnsafeInputError
from fivefold.core.validation import shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_NODES = 100_000

_NULL_TAG = "tag:yaml.org,2002:null"


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    node: Node
    anchor: str | None
    started_at: int
    items: dict[str, Node] | list[Node]
    key: Node | None = None
    height: int = 1


@dataclass
class _Reader:
    """Builds nodes from events."""

    name: str
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    count: int = 0
    root: Node | None = None
    documents: int = 0

    def read(self, events: Iterator[Event]) -> Node:
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self._start_document(event)
            elif isinstance(event, CollectionEndEvent):
                self._end_collection()
            elif isinstance(event, NodeEvent):
                self._start_node(event)
        return self.root or Node(None)

    def _start_document(self, event: Event) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "a config is one document: remove the line `---` and what follows"
            self._fail(_place(event), "expected one YAML document, got several", hint)

    def _start_node(self, event: NodeEvent) -> None:
        place = _place(event)
        if isinstance(event, AliasEvent):
            node = replace(self._anchored(event, place), place=place)
        else:
            self._refuse_tag(event, place)
            node = Node(self._scalar(event, place), place)
        self._grow(node, place)
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            items: dict[str, Node] | list[Node] = (
                [] if event.__class__ is SequenceStartEvent else {}
            )
            self.stack.append(_Open(node, event.anchor, self.count, items))
            return
        if isinstance(event, ScalarEvent) and event.anchor:
            self.anchors[event.anchor] = node
        self._put(node)

    def _end_collection(self) -> None:
        done = self.stack.pop()
        size = self.count - done.started_at + 1
        node = replace(done.node, value=done.items, size=size, height=done.height)
        if done.anchor:
            self.anchors[done.anchor] = node
        self._put(node)

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent.items, list):
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._as_key(node)
            return
        else:
            self._put_value(parent.items, parent.key, node)
            parent.key = None
        parent.height = max(parent.height, node.height + 1)

    def _put_value(self, items: dict[str, Node], key: Node, node: Node) -> None:
        text = str(key.value)
        if text in items:
            first = items[text].key_place
            hint = f"first set on line {first.line}" if first else ""
            where = at(self.name, key.place)
            self.problems.append(Problem("config/duplicate-key", where, f"{text}: set twice", hint))
            return
        items[text] = replace(node, key=text, key_place=key.place)

    def _as_key(self, node: Node) -> Node:
        if isinstance(node.value, dict | list):
            kind = "a mapping" if isinstance(node.value, dict) else "a list"
            self._fail(node.place, f"expected a name as key, got {kind}")
        if node.value == "<<":
            hint = "write the keys out: a config says everything in one place"
            self._fail(node.place, "expected a name as key, got the merge key '<<'", hint)
        return replace(node, value=str(node.value))

    def _scalar(self, event: NodeEvent, place: Place) -> Any:
        if not isinstance(event, ScalarEvent):
            return None
        if event.ctag and str(event.ctag) == _NULL_TAG:
            return None
        is_text = event.style is not None or self._expects_key()
        value = str(event.value) if is_text else resolve(event.value)
        if isinstance(value, float) and not math.isfinite(value):
            self._fail(place, f"expected a finite number, got {event.value!r}")
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            self._fail(place, f"expected Unicode text, got {shown(value)}")
        return value

    def _expects_key(self) -> bool:
        return (
            bool(self.stack)
            and not isinstance(self.stack[-1].items, list)
            and not self.stack[-1].key
        )

    def _refuse_tag(self, event: NodeEvent, place: Place) -> None:
        tag = str(getattr(event, "tag", None) or "")
        if tag and not (tag == _NULL_TAG and isinstance(event, ScalarEvent)):
            msg = f"{at(self.name, place)}: expected a value without a tag, got {shown(tag)}"
            hint = "tags can run code and are refused; write the plain value"
            raise UnsafeInputError(msg, hint=hint, slug="unsafe/yaml-tag")

    def _anchored(self, event: AliasEvent, place: Place) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            self._fail(place, f"expected an anchor that stands before, got *{event.anchor}")
        return node

    def _grow(self, node: Node, place: Place) -> None:
        self.count += node.size
        if self.count > MAX_NODES:
            refuse(at(self.name, place), f"at most {MAX_NODES:,} values", "more")
        if len(self.stack) + node.height > MAX_DEPTH:
            refuse(at(self.name, place), f"at most {MAX_DEPTH} levels", "more")

    def _fail(self, place: Place, message: str, hint: str = "") -> NoReturn:
        problem = Problem("config/syntax", at(self.name, place), message, hint)
        raise ConfigError([*self.problems, problem])


def read(text: str, name: str) -> tuple[Node, list[Problem]]:
    """Read one YAML document.

    Args:
        text: The text; at most 1 MB, 64 levels and 100,000 values with aliases written out.
        name: What to call it in messages.

    Returns:
        The root, which holds None for an empty text, and the keys that were set twice.

    Raises:
        ConfigError: If it is not YAML.
        UnsafeInputError: If it has tags other than `!!null`, or is beyond the limits.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        refuse(name, f"at most {MAX_BYTES:,} bytes", f"{size:,}")
    reader = _Reader(name)
    try:
        root = reader.read(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise ConfigError([*reader.problems, _syntax(name, place, error.problem)]) from error
    # The parser lets these three escape on numbers and directives that are not YAML.
    except (YAMLError, ValueError, IndexError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise ConfigError([*reader.problems, _syntax(name, Place(1, 1), reason)]) from error
    return root, reader.problems


def refuse(where: str, expected: str, got: str) -> NoReturn:
    """Refuse a text that is larger than any config.

    Raises:
        UnsafeInputError: Always.
    """
    msg = f"{where}: expected {expected}, got {got}"
    hint = "this is larger than any config; a data set belongs into its own file"
    raise UnsafeInputError(msg, hint=hint, slug="unsafe/yaml-limits")


def _syntax(name: str, place: Place, reason: str | None) -> Problem:
    said = " ".join((reason or "something else").split())
    hint = "check the indentation, the colons and the quotes of this line and the one before"
    return Problem("config/syntax", at(name, place), f"expected YAML, got an error: {said}", hint)


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
