"""What commands of `fivefold data` tell beside their results."""

from collections.abc import Iterable, Mapping

from fivefold.cli.console import say

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
