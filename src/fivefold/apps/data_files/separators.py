"""What stands between several labels in one cell."""

from collections.abc import Iterable

from fivefold.core.errors import ConfigError, DataError, Problem

_USUAL = ("|", ";", "$", "&", " + ", " / ")


def parts_of(cell: str, separator: str | None) -> list[str]:
    """Split a cell, in which a label may stand once."""
    if not separator:
        return [cell]
    return list(dict.fromkeys(part.strip() for part in cell.split(separator) if part.strip()))


def check_separator(separator: str | None) -> None:
    """Refuse what no reader could tell from a part of a label or the end of a row.

    Raises:
        ConfigError: If it is empty, or a letter, a digit, a quote or a line's end is in it.
    """
    if separator is None:
        return
    if not separator or any(sign.isalnum() or sign in '"\r\n\0' for sign in separator):
        message = f"expected a sign such as $ or |, got {separator!r}"
        raise ConfigError([Problem("cli/separator", "--separator", message, "quote it: '$'")])


def separator_for(class_names: Iterable[str], wanted: str | None) -> str:
    """Choose a sign that is in none of the classes' names.

    Args:
        class_names: The classes.
        wanted: The one that was asked for, if any.

    Raises:
        ConfigError: If what was asked for is no separator.
        DataError: If names have it in them.
    """
    check_separator(wanted)
    names = list(class_names)
    signs = _USUAL if wanted is None else (wanted,)
    for sign in signs:
        if not any(sign in name or sign.strip() in name for name in names):
            return sign
    clash = next(name for name in names if signs[0].strip() in name)
    msg = (
        f"class {clash!r}: expected a name without the sign between labels, got {signs[0]!r} in it"
    )
    raise DataError(msg, hint="choose another with --separator", slug="data/separator")
