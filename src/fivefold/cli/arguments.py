"""Arguments and options that several commands share."""

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
