"""Plain scalars of YAML 1.2: `1e-4` is a number, `yes` and `12:30` are text."""

import math
import re

from fivefold.config.nodes import Scalar

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BASES = {
    10: re.compile(r"[-+]?[0-9]+"),
    8: re.compile(r"0o[0-7]+"),
    16: re.compile(r"0x[0-9a-fA-F]+"),
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# Longer digits are nobody's number, and Python refuses to print the largest of them.
_LONGEST_NUMBER = 300


def resolve(text: str) -> Scalar:
    """Read an unquoted scalar by the core schema of YAML 1.2.

    Returns:
        Nothing, a truth value, a whole number, a number, or the text itself. What is no finite
        number (`.nan`, `.inf`, `1e999`) comes back as a float that the caller has to refuse.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    for base, pattern in _BASES.items():
        if pattern.fullmatch(text):
            return int(text.removeprefix("0o").removeprefix("0x"), base)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return math.nan
    return text
