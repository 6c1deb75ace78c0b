"""What commands of `fivefold data` tell beside their results."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fivefold.cli.console import say

if TYPE_CHECKING:
    from fivefold.data.unread import Unread

_MEANINGS = {
    "deeper-folder": "in folders inside a class: --recursive takes them",
    "hidden": "with hidden names",
    "link-to-folder": "links to folders",
    "no-id": "without an image",
    "no-label": "without a label",
    "not-an-image-name": "with an ending that no image has",
    "outside-class-folders": "in no class's folder",
    "repeated-row": "the same as an earlier row",
    "system-file": "files of the system",
}


def warn(warnings: Iterable[str]) -> None:
    """Say each warning."""
    for text in warnings:
        say(f"warning: {text}")


def say_left_out(left_out: Mapping[str, int]) -> None:
    """Say how many rows or files were left out, and by which rule."""
    for rule, count in left_out.items():
        say(f"left out: {count:,} {_MEANINGS.get(rule, rule)}")


def say_unread(unread: "Unread", total: int, *, where: bool) -> None:
    """Say which images are missing and which are broken, and what becomes of them.

    Args:
        unread: They.
        total: How many images there are.
        where: Whether `--images` can say where they are.
    """
    warn(unread.told(total))
    if len(unread):
        say("    no copies of them are known; they stay in what is written: training will")
        say("    quarantine them, and `fivefold data check` says what is wrong with each")
    if unread.missing and where:
        say("    if they are somewhere else: --images DIR")
