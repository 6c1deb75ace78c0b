"""Names of classes in one cell of a table: one, several, or none of them."""

from collections.abc import Sequence

_SIGNS = ("|", ";", "$", "~", " + ")
_NONE = "(none)"


def separator_of(class_names: Sequence[str]) -> str:
    """Choose what stands between several names: a sign that none of them contains."""
    free = (sign for sign in _SIGNS if not any(sign in name for name in class_names))
    return next(free, "\x1f")


def nothing_of(class_names: Sequence[str]) -> str:
    """Choose what stands for no class at all: a word that is none of them."""
    word = _NONE
    while word in class_names:
        word = f"({word})"
    return word


def classes_as_text(names: Sequence[str], class_names: Sequence[str]) -> str:
    """Write some of all class names as one text."""
    return separator_of(class_names).join(names) or nothing_of(class_names)


def classes_of_text(text: str, class_names: Sequence[str]) -> tuple[str, ...]:
    """Read what `classes_as_text` writes; names may be unknown, and have spaces around them."""
    if text in class_names:
        return (text,)
    if text.strip() == nothing_of(class_names):
        return ()
    parts = text.split(separator_of(class_names))
    parts = [part if part in class_names else part.strip() for part in parts]
    return tuple(dict.fromkeys(part for part in parts if part))
