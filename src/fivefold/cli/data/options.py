"""Options that several commands of `fivefold data` share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from fivefold.core.errors import ConfigError, Problem

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="A folder of classes or of images and masks, a table, or a COCO file."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The table to write, a CSV file.")
]
AnyOutput = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="x.csv, x.json for COCO, or x for a new folder."
    ),
]
LinkKind = Annotated[
    Literal["copy", "hard", "symbolic"],
    typer.Option("--link", help="How files come into a new folder."),
]
Images = Annotated[
    Path | None,
    typer.Option("--images", metavar="DIR", help="Where paths start; default the file's folder."),
]
ImageColumn = Annotated[
    str | None,
    typer.Option("--image-column", metavar="NAME", help="A table's column of images."),
]
LabelColumn = Annotated[
    list[str] | None,
    typer.Option(
        "--label-column",
        metavar="NAME",
        help="A table's column of labels; several, repeated or with commas between them, are one "
        "output each.",
    ),
]
Separator = Annotated[
    str | None,
    typer.Option("--separator", metavar="SIGN", help="Stands between labels in one cell: '$'."),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="A table's, such as cp1251; default UTF-8."),
]
BoxesAsLabels = Annotated[
    bool, typer.Option("--boxes-as-labels", help="Take COCO's boxes as labels of their images.")
]
CategoryMap = Annotated[
    Path | None,
    typer.Option("--category-map", metavar="FILE", help="COCO's categories to classes, as JSON."),
]
Level = Annotated[
    int,
    typer.Option("--level", metavar="N", min=0, help="How many of COCO's supercategories up."),
]
Background = Annotated[
    str | None,
    typer.Option("--background", metavar="CLASS", help="True where no other class is, in COCO."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Another seed draws others.")]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Replace what exists under these names.")
]

_DIGITS = 6  # of a fold's number


def two_columns(text: str | None) -> tuple[str, str] | None:
    """Read names of two columns such as `path,class`."""
    if text is None:
        return None
    names = [part.strip() for part in text.split(",")]
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        msg = f"expected two names such as path,class, got {text!r}"
        raise typer.BadParameter(msg, param_hint="--columns")
    return names[0], names[1]


def folds_of(text: str | None, option: str) -> tuple[int, ...]:
    """Read fold numbers such as `0,1,4`; nothing is no fold."""
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts):
        msg = f"expected fold numbers such as 0,1,4, got {text!r:.80}"
        raise typer.BadParameter(msg, param_hint=option)
    return tuple(dict.fromkeys(map(int, parts)))


def refuse_stray(given: Mapping[str, object], kind: str) -> None:
    """Refuse options that mean nothing here.

    Args:
        given: Options, each with something true if it was given.
        kind: With what they mean nothing.

    Raises:
        ConfigError: If there are any.
    """
    stray = [name for name, value in given.items() if value]
    if stray:
        message = f"expected no such option with {kind}, got one"
        raise ConfigError([Problem("cli/stray-option", stray[0], message, "leave it out")])
