"""The names of timm's nets, kept beside this module: asking timm itself takes seconds.

`timm_names.txt` is made from timm by `make docs`. Its first line says from which version; then each
line is a net and the tags of its weights, and after the line `old` the names that timm has given up
and still takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

LIST_PATH = Path(__file__).with_name("timm_names.txt")

_OLD = "old"


@dataclass(frozen=True)
class TimmList:
    """What one version of timm has.

    Attributes:
        version: Of timm.
        tags: Of each net's weights, such as `a1_in1k`, in timm's order; old names have none.
        old: Names that timm has given up and still takes.
    """

    version: str
    tags: Mapping[str, tuple[str, ...]]
    old: frozenset[str]

    @property
    def names(self) -> list[str]:
        """The nets in timm's order, without old names."""
        return [name for name in self.tags if name not in self.old]

    def has(self, name: str) -> bool:
        """Say whether it lists a net, with or without a tag."""
        net, dot, tag = name.partition(".")
        return net in self.tags and (not dot or tag in self.tags[net])

    def is_installed(self) -> bool:
        """Say whether it was made from the version of timm that is installed."""
        return metadata.version("timm") == self.version


@cache
def timm_list() -> TimmList:
    """Read the list."""
    return parse(LIST_PATH.read_text("utf-8"))


def parse(text: str) -> TimmList:
    """Read a list from its text."""
    head, *lines = text.splitlines()
    split = lines.index(_OLD)
    nets, old = lines[:split], lines[split + 1 :]
    words = [line.split(" ") for line in nets] + [[name] for name in old]
    tags = {name: tuple(own) for name, *own in words}
    return TimmList(head.removeprefix("timm "), tags, frozenset(old))


def list_text() -> str:
    """Ask timm for its names, and write them as the list's text; takes seconds."""
    import timm  # noqa: PLC0415  see above
    from timm.models._registry import _deprecated_models  # noqa: PLC0415  timm has no other way

    tags: dict[str, list[str]] = {name: [] for name in timm.list_models()}
    for full in timm.list_pretrained():
        name, _, tag = full.partition(".")
        tags[name].append(tag)
    lines = [
        " ".join([name, *own])
        for name, own in tags.items()
        # others may have given it more, as `nasnet.py` does
        if timm.models.model_entrypoint(name).__module__.startswith("timm.")
    ]
    return "\n".join([f"timm {timm.__version__}", *lines, _OLD, *sorted(_deprecated_models), ""])
