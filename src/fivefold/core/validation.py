"""From pydantic's errors to sentences of fivefold: `expected …, got …`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from fivefold.core.errors import closest, did_you_mean

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
}

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_keyword_only_argument")


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one value, relative to where validation began.

    Attributes:
        path: Keys and list positions that lead to the value.
        kind: `unknown-key`, `missing-key` or `bad-value`.
        message: The sentence, without the place.
        hint: What to do; may be empty.
        expected: The part between "expected" and "got", for unions of several types.
    """

    path: tuple[str | int, ...]
    kind: str
    message: str
    hint: str = ""
    expected: str = ""


def expectation(details: ErrorDetails) -> str:
    """Say in words what pydantic expected."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in ("literal_error", "enum"):
        return str(context["expected"])
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        length = context["min_length"] if kind == "too_short" else context["max_length"]
        return f"{bound} {length} item{'s' if length != 1 else ''}"
    text = details["msg"]
    for prefix in ("Input should be a valid ", "Input should be ", "Value error, "):
        text = text.removeprefix(prefix)
    return text[:1].lower() + text[1:]


def shown(value: Any) -> str:
    """Show a value shortly enough for one line; what YAML calls null is nothing."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def without_echoes(
    errors: Iterable[ErrorDetails], known_at: Callable[[tuple[str | int, ...]], Iterable[str]]
) -> list[ErrorDetails]:
    """Leave out what only follows from another problem: one mistake is one problem.

    That is required keys that are there and only misspelt, and lists that are too short because
    their items are wrong.

    Args:
        errors: What `ValidationError.errors()` gives.
        known_at: The names that may stand in the mapping at a path.
    """
    found = list(errors)
    meant = set()
    for details in found:
        *around, name = details["loc"] or ("",)
        if details["type"] in _UNKNOWN:
            meant.add((*around, closest(str(name), known_at(tuple(around)))))
    return [
        d
        for d in found
        if not (d["type"] in _MISSING and tuple(d["loc"]) in meant)
        and not (d["type"] == "too_short" and any(_is_inside(d["loc"], o["loc"]) for o in found))
    ]


def _is_inside(outer: tuple[str | int, ...], inner: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def explain(details: ErrorDetails, known: Iterable[str] = ()) -> Complaint:
    """Word one pydantic error.

    Args:
        details: One item of `ValidationError.errors()`.
        known: Names that were allowed where an unknown one was met.
    """
    path, kind = tuple(details["loc"]), details["type"]
    if kind in _UNKNOWN:
        hint = did_you_mean(str(path[-1]), known)
        return Complaint(path, "unknown-key", "unknown key", hint)
    if kind in _MISSING:
        return Complaint(path, "missing-key", "required, but not set")
    expected = expectation(details)
    message = f"expected {expected}, got {shown(details['input'])}"
    return Complaint(path, "bad-value", message, expected=expected)
