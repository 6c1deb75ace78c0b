"""Reads losses as a config writes them: `binary_crossentropy+0.1*dice_loss`.

A sum of terms; a term is one name and any number of factors in any order. A name may be followed
by its options: `focal_loss(gamma=3, alpha=none)`, numbers or `none`, `true`, `false`. Nothing is
evaluated.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

_EXAMPLE = "a loss such as 'binary_crossentropy+0.1*dice_loss'"
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SIGN = r"[-+*(),=]"
_WORDS: Mapping[str, bool | None] = {"none": None, "null": None, "true": True, "false": False}
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{_NUMBER})|(?P<name>{_NAME})|(?P<sign>{_SIGN})|(?P<unknown>\S))", re.ASCII
)


class ExpressionError(ValueError):
    """A text is not a sum of losses."""


@dataclass(frozen=True)
class Term:
    """One loss of a sum.

    Attributes:
        weight: What it is multiplied by.
        name: The loss, as written.
        options: Its options, as written.
    """

    weight: float
    name: str
    options: Mapping[str, float | bool | None] = field(default_factory=dict)


def parse_expression(text: str) -> tuple[Term, ...]:
    """Read a sum of losses.

    Raises:
        ExpressionError: If the text is anything else; says what was expected and what came.
    """
    return _Reader(text).terms()


def loss_names(text: str) -> list[str]:
    """List the names in a sum of losses, in order; see `parse_expression`."""
    return [term.name for term in parse_expression(text)]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.kind = ""
        self.token = ""
        self.advance()

    def advance(self) -> str:
        """Step to the next token and return the one before."""
        taken = self.token
        match = _TOKEN.match(self.text, self.place)
        self.kind, self.token = "end", ""
        if match is not None and match.lastgroup is not None:
            self.kind, self.token = match.lastgroup, match[match.lastgroup]
            self.place = match.end()
        return taken

    def terms(self) -> tuple[Term, ...]:
        sign = self.sign(required=False)
        terms = [self.term(sign)]
        while self.kind != "end":
            terms.append(self.term(self.sign(required=True)))
        return tuple(terms)

    def sign(self, *, required: bool) -> float:
        if self.token in ("+", "-"):
            return 1.0 if self.advance() == "+" else -1.0
        if required:
            self.fail("'+', '-' or '*'")
        return 1.0

    def term(self, weight: float) -> Term:
        name, options = "", {}
        while True:
            if self.kind == "number":
                weight *= float(self.advance())
            elif self.kind == "name" and not name:
                name, options = self.advance(), self.options()
            else:
                self.fail("a number" if name else "a name or a number")
            if self.token != "*":
                break
            self.advance()
        if not name:
            self.fail("'*' and the name of a loss")
        if not math.isfinite(weight):
            msg = f"expected a finite factor of {name!r}, got {weight}"
            raise ExpressionError(msg)
        return Term(weight, name, options)

    def options(self) -> dict[str, float | bool | None]:
        options: dict[str, float | bool | None] = {}
        if self.token != "(":
            return options
        while self.token in ("(", ","):
            self.advance()
            key = self.take("name", "the name of an option")
            if key in options:
                msg = f"{_shown(self.text)}: expected {key!r} once, got it twice"
                raise ExpressionError(msg)
            self.take("=", "'='")
            options[key] = self.value()
        self.take(")", "',' or ')'")
        return options

    def value(self) -> float | bool | None:
        if self.kind == "name" and self.token.casefold() in _WORDS:
            return _WORDS[self.advance().casefold()]
        factor = self.sign(required=False)
        return factor * float(self.take("number", "a number"))

    def take(self, kind_or_sign: str, expected: str) -> str:
        if kind_or_sign not in (self.kind, self.token):
            self.fail(expected)
        return self.advance()

    def fail(self, expected: str) -> NoReturn:
        if not self.text.strip():
            msg = f"expected {_EXAMPLE}, got {_shown(self.text)}"
            raise ExpressionError(msg)
        got = _shown(self.token) if self.token else "its end"
        msg = f"{_shown(self.text)}: expected {expected}, got {got}"
        raise ExpressionError(msg)


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else repr(text[:57]) + "…"
