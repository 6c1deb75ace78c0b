"""The command that shows what is wrong with a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import complain, say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.places import check_apart
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.guard import guarded
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.apps.data_check import Checked
    from fivefold.data import Source
    from fivefold.experiment.named_data import Reading

Data = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG|FOLDER|TABLE",
        help="An experiment, a folder of classes or of images and masks, a table, a COCO file.",
    ),
]


@guarded
@with_reading
def check(  # noqa: PLR0913  one parameter for each option
    data: Data,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="A new folder for check.json and pictures."
        ),
    ] = None,
    headers_only: Annotated[
        bool,
        typer.Option(
            "--headers-only",
            help="Read only how files begin: fast, but finds no damage, copies, blur or darkness.",
        ),
    ] = False,
    *,
    reading: "Reading",
    overrides: arguments.Overrides = None,
    force: options.Force = False,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Find what is wrong with a data set, and what becomes of it.

    Broken, blurred, dark, tiny and doubled images, wrong endings, contradicting labels, rare and
    misspelled classes. With -o, a picture of the images behind each finding. Exits with 3 if
    training would refuse the data. Nothing is written but what -o names.
    """
    if output is not None:
        check_new_folder(output, force=force)
    from fivefold.apps.data_check import check_data
    from fivefold.experiment.named_data import open_any

    opened = open_any(
        data, reading, overrides or (), allow_imports=allow_imports, progress=Terminal()
    )
    if output is not None:
        check_apart(output, opened)
    checked = check_data(opened, headers_only=headers_only, progress=Terminal())
    drawn = None if output is None else _write(checked, opened.source, output)
    if as_json:
        show_json(checked.record())
    else:
        _show(checked)
    if drawn is not None:
        say(f"{output}: check.json names every image{_listed(drawn)}")
    elif not as_json and _has_images(checked):
        say("to see the images: -o DIR draws them, and names every one")
    if checked.refusals:
        complain("training would refuse this data")
        raise checked.examined.refusals[0]


def _write(checked: "Checked", source: "Source", output: Path) -> list[str]:
    """Write everything; gives the names of the contact sheets."""
    from fivefold.apps.data_check import draw_sheets
    from fivefold.core.durable import write_bytes, write_json

    write_json(output / "check.json", checked.record())
    drawn = []
    for name, png in draw_sheets(checked, source):
        drawn.append(f"{name}.png")
        write_bytes(output / drawn[-1], png)
    return drawn


def _listed(drawn: list[str]) -> str:
    more = f" and {len(drawn) - 3} more" if len(drawn) > 3 else ""
    return f"; contact sheets: {', '.join(drawn[:3])}{more}" if drawn else ""


def _has_images(checked: "Checked") -> bool:
    return any(len(one.rows) for one in checked.findings)


def check_new_folder(output: Path, *, force: bool) -> None:
    """Refuse a folder that has something in it, unless files in it may be replaced, and a file.

    Raises:
        ConfigError: If it cannot be written into.
    """
    if output.exists() and not output.is_dir():
        message, hint = "expected a folder to write into, got a file", "choose another name"
    elif output.is_dir() and not force and any(output.iterdir()):
        message = "expected a new or an empty folder, got one with files"
        hint = "--force replaces those of the same names"
    else:
        return
    raise ConfigError([Problem("cli/output-exists", str(output), message, hint)])


def _show(checked: "Checked") -> None:
    audit = checked.examined.audit
    rows = [
        (one.level.value, f"{one.count:,}", one.title, one.action, _examples(one.examples))
        for one in checked.findings
    ]
    if rows:
        header = ("", "count", "what", "what becomes of it", "such as")
        show_table(header, rows, texts=(0, 2, 3, 4))
    parts = [f"{audit.used:,} used", f"{audit.quarantined:,} not usable"]
    parts.append(f"{audit.excluded:,} not listed as images")
    say(f"{checked.name}: {audit.listed:,} files or rows: {', '.join(parts)}")
    for text in checked.warnings:
        say(f"warning: {text}")
    if not (rows or checked.warnings or checked.refusals):
        say("nothing is wrong" + (" as far as headers tell" if checked.headers_only else ""))


def _examples(names: object) -> str:
    listed = list(names) if isinstance(names, list | tuple) else []
    return ", ".join(listed[:2])
