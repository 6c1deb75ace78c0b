"""`--set stages.0.lr=1e-3`: values from the command line, put where the file would have them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fivefold.config.document import read
from fivefold.config.mask_keys import DECODER, DECODER_OPTIONS
from fivefold.config.musket import SYNONYMS
from fivefold.config.nodes import Node, plain
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.validation import shown


class _BadOverrideError(Exception):
    """A path that leads nowhere."""


def apply(root: Node, overrides: Sequence[str]) -> tuple[Node, list[Problem]]:
    """Set values in a config's nodes.

    Args:
        root: The mapping of the whole config.
        overrides: `KEY=VALUE` each; KEY is dotted, VALUE is YAML. Later ones win.

    Returns:
        The new root, and a problem for each override that cannot be applied.

    Raises:
        UnsafeInputError: If a value has a tag or is beyond the limits.
    """
    problems = []
    for override in overrides:
        where = f"--set {override.partition('=')[0].strip()}"
        try:
            root = _set(root, override, where)
        except _BadOverrideError as error:
            hint = "for example --set stages.0.lr=1e-3; lists count from 0"
            problems.append(Problem("config/bad-override", where, str(error), hint))
    return root, problems


def _set(root: Node, override: str, where: str) -> Node:
    key, equals, text = override.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        msg = f"expected KEY=VALUE, got {shown(override)}"
        raise _BadOverrideError(msg)
    level = 2 if keys[0] == "stages" and len(keys) > 2 else 0
    keys[level] = SYNONYMS.get(keys[level], keys[level])
    if keys[0] in DECODER_OPTIONS:
        keys = [DECODER, *keys]
    return _with(root, keys, _value(text, where), where)


def _value(text: str, where: str) -> Node:
    try:
        node, problems = read(text, where)
    except ConfigError as error:
        problems, node = list(error.problems), Node(None)
    if problems:
        msg = f"expected a YAML value, got {shown(text)}"
        raise _BadOverrideError(msg)
    return _from_command_line(node, where)


def _from_command_line(node: Node, where: str) -> Node:
    value: Any = node.value
    if isinstance(value, dict):
        value = {key: _from_command_line(child, where) for key, child in value.items()}
    elif isinstance(value, list):
        value = [_from_command_line(child, where) for child in value]
    return replace(node, value=value, override=where)


def _with(node: Node, keys: Sequence[str], value: Node, where: str) -> Node:
    """Copy a node with one value below it replaced."""
    if not keys:
        return replace(value, key=node.key, key_place=node.key_place)
    name, rest = keys[0], keys[1:]
    if isinstance(node.value, list):
        return _with_item(node, keys, value, where)
    if not isinstance(node.value, dict | None):
        key = node.key or "the config"
        msg = f"{key}: expected a mapping or a list to set {name!r} in, got {shown(plain(node))}"
        raise _BadOverrideError(msg)
    children = dict(node.value or {})
    old = children.get(name, Node(None, key=name, override=where))
    children[name] = _with(old, rest, value, where)
    return replace(node, value=children)


def _with_item(node: Node, keys: Sequence[str], value: Node, where: str) -> Node:
    items = list(node.value) if isinstance(node.value, list) else []
    index = next((i for i in range(len(items)) if str(i) == keys[0]), None)
    if index is None:
        allowed = f"a number from 0 to {len(items) - 1}" if items else "an item, and there is none"
        msg = f"{node.key}: expected {allowed}, got {keys[0]!r}"
        raise _BadOverrideError(msg)
    items[index] = _with(items[index], keys[1:], value, where)
    return replace(node, value=items)
