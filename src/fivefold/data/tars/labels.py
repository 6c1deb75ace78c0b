"""What the members beside an image say of it: a class as text, or a value of a JSON mapping."""

import json
from dataclasses import dataclass, field
from typing import Any

from fivefold.core.errors import DataError, did_you_mean
from fivefold.core.validation import shown

_KEYS = ("label", "labels", "class", "classes", "category", "categories", "cls")
"""Keys of a JSON member that are looked for, in this order."""
_JSON = "json"
_TEXT = ("cls", "txt")
LONGEST = 1 << 20
"""In bytes; what is longer is no label."""


class BadLabelError(Exception):
    """A member that holds no label."""


def label_ending(asked: str | None, endings: tuple[str, ...]) -> str | None:
    """Settle which members hold labels.

    Args:
        asked: An ending, or a key of the JSON members.
        endings: Those that there are.

    Returns:
        An ending; None where there is none that holds labels.
    """
    if asked is not None and asked.lower() in endings:
        return asked.lower()
    order = (_JSON,) if asked is not None else (*_TEXT[:1], _JSON, *_TEXT[1:])
    return next((ending for ending in order if ending in endings), None)


@dataclass
class LabelReader:
    """Makes class names of members' contents.

    Attributes:
        ending: What the names of these members end in.
        key: Of a JSON mapping; None until the first one has shown it.
        separator: What stands between several classes in one text; None where each is one class.
        several: Whether any member held a list.
    """

    ending: str
    key: str | None = None
    separator: str | None = None
    several: bool = field(default=False, init=False)

    def names(self, content: bytes, sample: str) -> list[str] | None:
        """Read the classes of one sample; None where nothing is said.

        Args:
            content: Of its member.
            sample: What messages call it, without the ending.

        Raises:
            BadLabelError: If the content is damaged.
            DataError: If it is whole and says something else than classes.
        """
        try:
            text = content.decode("utf-8-sig").strip()
            value = _read(text) if self.ending.rpartition(".")[2] == _JSON else text
        except (ValueError, RecursionError) as error:
            raise BadLabelError(str(error)) from error
        where = f"{sample}.{self.ending}"
        if isinstance(value, dict):
            value = self._of_mapping(value, where)
        if isinstance(value, list):
            self.several = True
            return [self._one(part, where) for part in value]
        if self.separator is not None and isinstance(value, str):
            self.several = True
            return [part.strip() for part in value.split(self.separator) if part.strip()]
        is_blank = value is None or (isinstance(value, str) and not value.strip())
        return None if is_blank else [self._one(value, where)]

    def _of_mapping(self, value: dict[str, Any], where: str) -> Any:
        if self.key is None:
            self.key = next((key for key in _KEYS if key in value), None)
        if self.key is None:
            keys = list(value)
            msg = f"{where}: expected a key with the label, such as 'label', got {keys[:8]}"
            hint = "say which one it is by `label_column`"
            raise DataError(msg, hint=hint, slug="data/shard-labels")
        if self.key not in value:
            hint = did_you_mean(self.key, value, f"there are {', '.join(map(repr, [*value][:8]))}")
            msg = f"{where}: expected the key {self.key!r}, got none"
            raise DataError(msg, hint=hint, slug="data/shard-labels")
        return value[self.key]

    def _one(self, value: Any, where: str) -> str:
        text = str(value).strip()
        if isinstance(value, bool) or not isinstance(value, str | int) or not text:
            at = f"{self.key}: " if self.key else ""
            msg = f"{where}: {at}expected a class by its name or number, got {shown(value)}"
            raise DataError(msg, hint="or a list of classes", slug="data/shard-labels")
        return text


def _read(text: str) -> Any:
    """Read JSON; halves of signs, which it can write and no file can hold, are no text."""
    value = json.loads(text)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value
