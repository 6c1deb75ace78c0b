"""The command that writes a table of images and labels, and a map of the classes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.arguments import column_names
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.places import check_named, check_outputs
from fivefold.cli.data.told import say_left_out, warn
from fivefold.cli.guard import guarded

if TYPE_CHECKING:
    from fivefold.apps.data_files.labels import WrittenLabels

_Data = Annotated[
    list[Path],
    typer.Argument(
        metavar="FOLDER...",
        help="Folders with one folder per class; or one table, whose classes are counted.",
    ),
]
_ClassMap = Annotated[
    Path | None,
    typer.Option(
        "--class-map",
        metavar="FILE",
        help="Each class's number as JSON; default: the table's name with .classes.json.",
    ),
]
_Recursive = Annotated[
    bool, typer.Option("--recursive", help="Take files deeper inside a class as well.")
]
_Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="PATH,CLASS",
        help="Names of the table's columns; default path,class, or those of a table.",
    ),
]


@guarded
def labels(  # noqa: PLR0913  one parameter for each option
    data: _Data,
    output: options.Output,
    class_map: _ClassMap = None,
    recursive: _Recursive = False,
    separator: options.Separator = None,
    columns: _Columns = None,
    images: options.Images = None,
    image_column: options.ImageColumn = None,
    label_column: options.LabelColumn = None,
    encoding: options.Encoding = None,
    force: options.Force = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Write folders of classes as a table, with a map of the classes.

    Rows are sorted by class and name; a class's number is its place among the sorted names. Paths
    start at the folder; at the one that holds all, if there are several. An image with several
    labels in its cell stays one row. --images and the columns are for a table.
    """
    check_named(output)
    class_map = class_map or output.with_suffix(".classes.json")
    check_outputs([output], data, force=force)
    check_outputs([class_map], data, force=force, example="x.json")
    names = options.two_columns(columns)
    from fivefold.apps.data_files.labels import list_folders, list_table, write_labels
    from fivefold.apps.data_files.sections import section_for
    from fivefold.experiment.named_data import Reading

    of_table: dict[str, object] = {"--image-column": image_column, "--label-column": label_column}
    of_table["--encoding"] = encoding
    if len(data) == 1 and data[0].is_file():
        options.refuse_stray({"--recursive": recursive}, "a table")
        labelled = column_names(label_column, "--label-column")
        reading = Reading(images, image_column, labelled, separator, encoding)
        listed = list_table(data[0], reading)
    else:
        options.refuse_stray({"--images": images, **of_table}, "folders")
        listed = list_folders(data, recursive=recursive)
    written = write_labels(listed, output, class_map, columns=names, separator=separator)
    section = section_for(
        "csv", output, written.images_dir, separator=separator or listed.separator
    )
    if as_json:
        files = {"table": output, "class_map_file": class_map, "dataset": section}
        show_json({**files, **vars(written)})
    else:
        _show(written)
    warn(written.warnings)
    say_left_out(written.left_out)
    say(f"{output}: {written.images:,} rows; {class_map}: {len(written.counts)} classes")
    say(section)


def _show(written: "WrittenLabels") -> None:
    numbers = written.class_map.items()
    rows = [(name, str(number), f"{written.counts[name]:,}") for name, number in numbers]
    show_table(("class", "number", "images"), rows)
