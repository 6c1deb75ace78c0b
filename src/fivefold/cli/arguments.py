"""Arguments and options that several commands share."""

import csv
import math
from collections.abc import Sequence
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
        raise typer.BadParameter(msg, param_hint="--folds")
    return list(dict.fromkeys(found))


def column_names(texts: Sequence[str] | None, option: str) -> tuple[str, ...]:
    """Read names such as `kind,colour`; one that has a comma itself stands in double quotes."""
    try:
        lines = [next(csv.reader([text], skipinitialspace=True), []) for text in texts or ()]
    except csv.Error as error:
        msg = f"expected names of columns, got {texts!r:.80}"
        raise typer.BadParameter(msg, param_hint=option) from error
    names = [name.strip() for line in lines for name in line or [""]]
    if len(set(names)) < len(names):
        msg = f"expected each column once, got {','.join(names)!r:.80}"
        raise typer.BadParameter(msg, param_hint=option)
    return tuple(names)


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
Experiments = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[EXPERIMENT]...",
        help="Folders with a config.yaml, or YAML files. Left out, the working folder decides: an "
        "experiment, or a project.",
    ),
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
FromStage = Annotated[
    int,
    typer.Option(
        "--from-stage",
        metavar="N",
        min=0,
        help="Train from this stage on; those before it must be finished.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        help="How many folds run at once, each in its own process; the machine decides if not "
        "given. The results are the same.",
    ),
]
NoReuse = Annotated[
    bool,
    typer.Option(
        "--no-reuse",
        help="Train every stage, also those that another experiment has trained alike.",
    ),
]
ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The experiments of a project, DIR/experiments/NAME/config.yaml: all that are not "
        "finished, or those of --name.",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="A,B",
        help="Experiments of the project by name, in this order; * matches any.",
    ),
]
TimeLimit = Annotated[
    str | None,
    typer.Option(
        "--time",
        metavar="SECONDS",
        help="Stop after the epoch that runs when so many seconds are over (also 30m, 2h); the "
        "same command goes on.",
    ),
]
OnlyReport = Annotated[
    bool,
    typer.Option("--only-report", help="Train nothing; write summary and report again."),
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
