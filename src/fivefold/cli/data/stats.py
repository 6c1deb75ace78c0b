"""The command that counts a data set."""

from pathlib import Path
from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.check import Data
from fivefold.cli.data.places import check_apart
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.progress import Terminal


@guarded
def stats(  # noqa: PLR0913  one parameter for each option
    data: Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A picture, a PNG.")
    ] = None,
    images: options.Images = None,
    image_column: options.ImageColumn = None,
    label_column: options.LabelColumn = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    boxes_as_labels: options.BoxesAsLabels = False,
    category_map: options.CategoryMap = None,
    level: options.Level = 0,
    background: options.Background = None,
    overrides: arguments.Overrides = None,
    force: options.Force = False,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Count the images of each class; tell sizes, formats, imbalance.

    Of each image only the beginning of its file is read.
    """
    if output is not None:
        check_free(output, force=force, example="lr.png")
    from fivefold.apps.data_check import draw_stats, stats_of
    from fivefold.core.durable import write_bytes
    from fivefold.experiment.named_data import Reading, open_any

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
    opened = open_any(
        data, reading, overrides or (), allow_imports=allow_imports, progress=Terminal()
    )
    if output is not None:
        check_apart(output, opened)
    found = stats_of(opened, Terminal())
    if output is not None:
        write_bytes(output, draw_stats(found))
    if as_json:
        show_json(found.record())
        return
    rows = [
        (f"{out}: {name}" if out else name, f"{n:,}", f"{n / max(found.images, 1):.1%}")
        for out, counts in found.outputs
        for name, n in counts.items()
    ]
    show_table(("class", "images", "share"), rows)
    say(f"{found.images:,} images, {found.unusable:,} that cannot be used")
    for side, (least, median, most) in found.sides.items():
        say(f"{side}: {least} to {most} pixels, median {median}")
    say("formats: " + ", ".join(f"{n:,} {name}" for name, n in found.formats.items()))
    if found.imbalance is not None:
        say(f"imbalance: the largest class has {found.imbalance:.3g} times the smallest's images")
