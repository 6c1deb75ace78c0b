"""The text that a config came from: where each value stands, and what it asks for too early."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fivefold.config.fields import read_steps
from fivefold.config.musket import (
    DIALECTS,
    EXPERIMENT_KEYS,
    STAGE_KEYS,
    VALUES_NOT_YET,
    Legacy,
)
from fivefold.config.nodes import Node, Step, plain, walk
from fivefold.core.errors import Problem

_HEADER = re.compile(r"#%Musket[ \t]+(\S+)")
_STEPS = ("augmentation", "transforms", "callbacks", "extra_callbacks")


@dataclass(frozen=True)
class Source:
    """A config's text and values, as they were written and overridden.

    Attributes:
        name: The file, as messages call it.
        text: The file's own text.
        directory: Where relative paths start.
        root: The values with their places; synonyms already renamed.
    """

    name: str = "config.yaml"
    text: str = ""
    directory: Path = Path()
    root: Node = field(default_factory=lambda: Node({}))

    def where(self, *path: Step) -> str:
        """Say where the value of a path stands, or the nearest one around it."""
        found = walk(self.root, path)
        return found[-1].where(self.name) if len(found) > 1 else self.name

    def as_mapping(self) -> dict[str, Any]:
        """Give the values in YAML spelling; augmenters and callbacks as lists."""
        values = _with_lists(plain(self.root))
        stages = values.get("stages")
        if isinstance(stages, list):
            values["stages"] = [_with_lists(stage) for stage in stages]
        return values

    @property
    def dialect(self) -> str:
        """The word after `#%Musket` on the first line; empty if there is none."""
        match = _HEADER.match(self.text)
        return match[1] if match else ""

    def not_yet(self) -> list[Problem]:
        """List keys and values that are known and cannot be honoured."""
        problems = []
        if not DIALECTS.get(self.dialect.casefold(), True):
            hint = "remove the first line if this is a config for classification"
            problems.append(_too_early(f"{self.name}:1:1", f"#%Musket {self.dialect}", hint))
        for path, legacy in self.legacy():
            where, key = self.where(*path), dotted(self.root, path)
            if legacy.fate == "not-yet":
                hint = f"{legacy.meaning}: remove the key to go on without it"
                problems.append(_too_early(where, key, hint))
            elif legacy.fate == "refused":
                message = f"{key}: not supported"
                problems.append(Problem("config/refused-key", where, message, legacy.meaning))
            elif legacy.fate == "misplaced":
                message = f"{key}: unknown key here"
                problems.append(Problem("config/unknown-key", where, message, legacy.meaning))
        for key, values in VALUES_NOT_YET.items():
            node = walk(self.root, [key])[-1]
            if isinstance(node.value, str) and node.value in values:
                hint = f"{key}: imagenet works"
                problems.append(_too_early(self.where(key), f"{key}: {node.value}", hint))
        return problems

    def legacy(self) -> Iterator[tuple[tuple[Step, ...], Legacy]]:
        """Find keys of Musket that are not honoured, each with its path."""
        yield from _legacy(self.root, (), EXPERIMENT_KEYS)
        stages = walk(self.root, ["stages"])[-1]
        if isinstance(stages.value, list):
            for index, stage in enumerate(stages.value):
                yield from _legacy(stage, ("stages", index), STAGE_KEYS)


def dotted(root: Node, path: tuple[Step, ...]) -> str:
    """Write a path as `stages.0.lr`, each key as the file spells it."""
    found = walk(root, path)[1:]
    spelled = [node.key or str(step) for node, step in zip(found, path, strict=False)]
    return ".".join([*spelled, *map(str, path[len(found) :])])


def _legacy(
    node: Node, path: tuple[Step, ...], table: Mapping[str, Legacy]
) -> Iterator[tuple[tuple[Step, ...], Legacy]]:
    for key, value in node.value.items() if isinstance(node.value, dict) else ():
        if key in table and not table[key].is_neutral(plain(value)):
            yield (*path, key), table[key]


def _with_lists(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [{name: options} for name, options in read_steps(value)] if key in _STEPS else value
        for key, value in values.items()
    }


def _too_early(where: str, what: str, hint: str) -> Problem:
    return Problem("config/not-yet", where, f"{what}: not yet supported", hint)
