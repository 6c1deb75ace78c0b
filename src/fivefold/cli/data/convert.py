"""The command that writes a data set in another form."""

from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json
from fivefold.cli.data import options
from fivefold.cli.data.places import check_output
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.data.told import say_left_out, warn
from fivefold.cli.guard import guarded
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.experiment.named_data import Reading

_NewSeparator = Annotated[
    str | None,
    typer.Option(
        "--new-separator", metavar="SIGN", help="What to put between labels of a new table."
    ),
]


@guarded
@with_reading
def convert(
    data: options.Data,
    output: options.AnyOutput,
    link: options.LinkKind = "copy",
    new_separator: _NewSeparator = None,
    *,
    reading: "Reading",
    force: options.Force = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Write data in another form: folders, a table, a COCO file.

    The output's name says which: x.csv, x.json, or x for a new folder of classes, into which
    files are copied or linked. Where something would be lost the command refuses, or says so.
    """
    check_output(output, data, force=force)
    import numpy as np

    from fivefold.apps.data_files.converting import kind_to_write, write_as_named
    from fivefold.experiment.named_data import open_data

    options.refuse_stray(
        {
            "--link": link != "copy" and kind_to_write(output) != "folder",
            "--new-separator": new_separator and kind_to_write(output) != "csv",
        },
        "such an output",
    )
    opened = open_data(data, reading)
    written = write_as_named(
        opened,
        np.ones(len(opened.source), dtype=bool),
        output,
        separator=new_separator,
        link=link,
        progress=Terminal(),
    )
    if as_json:
        show_json({"images": written.images, "left_out": opened.left_out, "output": output})
    warn((*opened.source.warnings, *written.warnings))
    say_left_out(opened.left_out)
    say(f"{output}: {written.images:,} images")
    say(written.section)
