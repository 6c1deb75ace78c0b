"""Keys of architectures that make masks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from fivefold.config.fields import Name, NullMeans, one_of
from fivefold.config.nodes import Node, at
from fivefold.core.errors import Problem
from fivefold.core.segmenters import MUSKET_OPTIONS, OPTIONS

Encoder: TypeAlias = Annotated[
    Name | None,
    Field(
        description="Of an architecture that makes masks: the net whose maps it decodes, a name of "
        "`fivefold list backbones`; required to train one."
    ),
]

DECODER = "decoder"
"""The key that holds the options of an architecture that makes masks."""

DECODER_OPTIONS: Mapping[str, str] = {**OPTIONS, **MUSKET_OPTIONS}
"""Options that may also stand beside `architecture`, as Musket has them: name and meaning."""

Decoder: TypeAlias = Annotated[
    dict[str, Any],
    one_of("a mapping of options"),
    NullMeans({}),
    Field(
        description="Options of an architecture that makes masks, which `fivefold list "
        "architectures` shows, by its names or by Musket's; they may also stand beside "
        "`architecture`."
    ),
]


def gathered(root: Node, name: str) -> tuple[Node, list[Problem]]:
    """Put options that stand beside `architecture` among those of `decoder`.

    Args:
        root: The mapping of a config.
        name: Of its file, for messages.
    """
    keys = root.value if isinstance(root.value, dict) else {}
    beside = {key: child for key, child in keys.items() if key in DECODER_OPTIONS}
    own = keys.get(DECODER, Node({}, key=DECODER))
    if not beside or not isinstance(own.value, dict | None):
        return root, []
    options, problems = dict(own.value or {}), []
    for key, child in beside.items():
        if key in options:
            hint = f"`{DECODER}` has it too"
            where = at(child.file or name, child.key_place or child.place)
            problems.append(Problem("config/duplicate-key", where, f"{key}: set twice", hint))
        options.setdefault(key, child)
    rest = {key: child for key, child in keys.items() if key not in beside}
    return root.with_children({**rest, DECODER: replace(own, value=options)}), problems
