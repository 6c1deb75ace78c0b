"""Messages about data, for who gives a command options in place of a config's keys."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from fivefold.config import DatasetSection
from fivefold.core.errors import DataError
from fivefold.data.columns import ColumnError

_KEY = re.compile(r"`(\w+)(?:: ([^`]+))?`")
_FLAGS = {"boxes: labels": "--boxes-as-labels"}
"""What is a flag of its own, not an option and its value."""


def in_options(text: str, options: Collection[str]) -> str:
    """Name options where a text names keys of `dataset`, and say of others where they belong.

    Args:
        text: With keys in backticks: `separator`, or `boxes: labels` with a value.
        options: The keys that the command has options for, as `boxes: labels` where that is one.
    """

    def word(found: re.Match[str]) -> str:
        whole, key, value = found[0].strip("`"), found[1], found[2]
        if whole in options and whole in _FLAGS:
            return _FLAGS[whole]
        if key in options:
            return f"{_option(key)} {value}" if value else _option(key)
        return f"{found[0]} in a config" if key in DatasetSection.model_fields else found[0]

    return _KEY.sub(word, text)


@contextmanager
def told_in_options(options: Collection[str]) -> Iterator[None]:
    """Word errors of data as `in_options` does.

    Args:
        options: As there.

    Raises:
        DataError: In place of one that was raised inside.
    """
    try:
        yield
    except DataError as error:
        message = told = str(error).removesuffix(f"\n    {error.hint}")
        if isinstance(error, ColumnError) and error.key in options:
            message = message.replace(f": {error.key}: ", f": {_option(error.key)}: ", 1)
        hint = in_options(error.hint, options)
        if (message, hint) == (told, error.hint):
            raise
        raise DataError(message, hint=hint, slug=error.slug) from error


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
