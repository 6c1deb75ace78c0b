"""How values stand in cells."""

from collections.abc import Mapping
from typing import Any

from fivefold.config import ABSENT


def shown(value: Any) -> str:
    """Write a config's value as YAML would show it; nothing where there is none."""
    if value is ABSENT:
        return ""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def text(value: Any) -> str:
    """Write a value of a table: numbers in full, nothing for None."""
    if isinstance(value, float):
        return repr(value)
    return "" if value is None else shown(value)
