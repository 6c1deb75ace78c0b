"""Musket's own flags of its two commands: what each one becomes, so that old scripts still run."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import typer
from typer.core import TyperCommand

from fivefold.cli.console import say
from fivefold.core.cache_home import VARIABLE

_FALSE = frozenset({"false", "no", "0"})
_WORDS = _FALSE | {"true", "yes", "1"}


class Flag(NamedTuple):
    """What happens to one flag.

    Attributes:
        fate: `translated`, `no-effect` (accepted with a warning) or `refused`.
        meaning: What it becomes, or the reason.
        kind: Whether it takes a value; a `switch` may have one all the same, such as `True`.
        neutral: The value that is the same as leaving it out.
    """

    fate: Literal["translated", "no-effect", "refused"]
    meaning: str
    kind: Literal["value", "switch"] = "value"
    neutral: str = ""


FIT: Mapping[str, Flag] = {
    "--num_gpus": Flag(
        "refused", "each GPU that CUDA_VISIBLE_DEVICES shows trains a fold; set that", neutral="1"
    ),
    "--gpus_per_net": Flag("refused", "a network trains on one accelerator", neutral="1"),
    "--num_workers": Flag("translated", "--jobs"),
    "--allow_resume": Flag("no-effect", "a run always goes on where it stopped", "switch"),
    "--force_recalc": Flag("no-effect", "no version of Musket read it", "switch"),
    "--launch_tasks": Flag("no-effect", "no version of Musket read it", "switch"),
    "--only_report": Flag("translated", "--only-report", "switch"),
    "--cache": Flag("translated", VARIABLE),
    "--one_process": Flag("no-effect", "experiments run one after another anyway", "switch"),
    "--download_deps": Flag(
        "refused", "nothing is downloaded unasked; get what project.yaml names yourself", "switch"
    ),
    "-d": Flag(
        "refused", "nothing is downloaded unasked; get what project.yaml names yourself", "switch"
    ),
}
"""Flags of `musket fit` that are called otherwise here; the others have their own name."""

ANALYZE: Mapping[str, Flag] = {
    "--inputFolder": Flag("translated", ""),
    "--onlyMetric": Flag("translated", "--only-metric"),
    "--sortBy": Flag("translated", "--sort-by"),
}
"""The same for `musket analyze`, which is `fivefold compare`; the folder needs no flag."""


def translated(arguments: Sequence[str], flags: Mapping[str, Flag]) -> list[str]:
    """Write a command line without Musket's flags.

    Args:
        arguments: What stands behind the command.
        flags: Those of this command.

    Raises:
        typer.BadParameter: If a flag is refused, with the reason.
    """
    rest, found = list(arguments), list[str]()
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            return [*found, word, *rest]
        if name not in flags:
            found.append(word)
            continue
        flag = flags[name]
        if not equals and rest and (flag.kind == "value" or rest[0].casefold() in _WORDS):
            value = rest.pop(0)
        found += _of_flag(name, flag, value)
    return found


def _of_flag(name: str, flag: Flag, value: str) -> list[str]:
    if flag.kind == "switch" and value.casefold() in _FALSE:
        return []
    if flag.kind == "value" and value in ("", flag.neutral):
        return []
    if flag.fate == "refused":
        raise typer.BadParameter(flag.meaning, param_hint=name)
    if flag.fate == "no-effect":
        say(f"warning: {name}: has no effect: {flag.meaning}")
        return []
    if flag.meaning == VARIABLE:
        os.environ[VARIABLE] = value
        return []
    words = [flag.meaning] if flag.meaning else []
    return words if flag.kind == "switch" else [*words, value]


class FitCommand(TyperCommand):
    """`fivefold fit`, which also knows the flags of `musket fit`."""

    flags: ClassVar[Mapping[str, Flag]] = FIT

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        return super().parse_args(ctx, translated(args, self.flags))


class CompareCommand(FitCommand):
    """`fivefold compare`, which also knows the flags of `musket analyze`."""

    flags: ClassVar[Mapping[str, Flag]] = ANALYZE
