"""The command that writes a data set in another form."""

from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json
from fivefold.cli.data import options
from fivefold.cli.data.places import check_output
from fivefold.cli.data.told import say_left_out, warn
from fivefold.cli.guard import guarded
from fivefold.core.progress import Terminal

_NewSeparator = Annotated[
    str | None,
    typer.Option(
        "--new-separator", metavar="SIGN", help="What to put between labels of a new table."
    ),
]


@guarded
def convert(  # noqa: PLR0913  one parameter for each option
    data: options.Data,
    output: options.AnyOutput,
    link: options.LinkKind = "copy",
    new_separator: _NewSeparator = None,
    images: options.Images = None,
    image_column: options.ImageColumn = None,
    label_column: options.LabelColumn = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    boxes_as_labels: options.BoxesAsLabels = False,
    category_map: options.CategoryMap = None,
    level: options.Level = 0,
    background: options.Background = None,
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
    from fivefold.experiment.named_data import Reading, open_data

    options.refuse_stray(
        {
            "--link": link != "copy" and kind_to_write(output) != "folder",
            "--new-separator": new_separator and kind_to_write(output) != "csv",
        },
        "such an output",
    )
    reading = Reading(
        images,
        image_column,
        label_column,
        separator,
        encoding,
        boxes_as_labels=boxes_as_labels,
        category_map=category_map,
        level=level,
        background=background,
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
