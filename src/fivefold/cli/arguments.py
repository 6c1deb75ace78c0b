"""Arguments and options that several commands share."""

import math
from pathlib import Path
from typing import Annotated

import typer


def numbers(text: str) -> list[int]:
    """Read a list of fold numbers such as `0,1,4`."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0:
        msg = f"expected fold numbers such as 0,1,4, got {text!r}"
        raise typer.BadParameter(msg)
    return list(dict.fromkeys(found))


def seconds(text: str | None) -> float | None:
    """Read a time span such as `3600`, `90s`, `30m` or `2h`; nothing and `-1` are no limit."""
    if text is None or text == "-1":
        return None
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        found = float(number) * units[unit]
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        msg = f"expected seconds, or a number with s, m or h behind it, got {text!r}"
        raise typer.BadParameter(msg, param_hint="--time")
    return found


Experiment = Annotated[
    Path,
    typer.Argument(metavar="EXPERIMENT", help="A folder with a config.yaml, or a YAML file."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the config, such as stages.0.lr=1e-3; may be repeated.",
    ),
]
Folds = Annotated[
    str | None, typer.Option("--folds", metavar="0,1", help="Only these folds; all by default.")
]
Stage = Annotated[
    int, typer.Option("--stage", metavar="N", help="Which stage's weights; -1 is the last.")
]
AllowImports = Annotated[
    bool,
    typer.Option(
        "--allow-imports",
        help="Let the config run Python files that it names, if you trust it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts instead of a table.")]
