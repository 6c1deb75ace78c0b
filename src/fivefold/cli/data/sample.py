"""The command that draws a smaller data set."""

from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.places import check_output
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.data.told import say_left_out, warn
from fivefold.cli.guard import guarded
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.apps.data_files.sampling import Sampled
    from fivefold.experiment.named_data import Reading

_PerClass = Annotated[
    int,
    typer.Option(
        "--per-class", metavar="N", help="How many of each class; default as the smallest has."
    ),
]
_Fraction = Annotated[
    float, typer.Option("--fraction", metavar="PART", help="This much of each class, rounded up.")
]


@guarded
@with_reading
def sample(  # noqa: PLR0913  one parameter for each option
    data: options.Data,
    output: options.AnyOutput,
    per_class: _PerClass = 0,
    fraction: _Fraction = 0.0,
    seed: options.Seed = 42,
    link: options.LinkKind = "copy",
    *,
    reading: "Reading",
    force: options.Force = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Draw a balanced part of a data set, or a fraction of it.

    Images with several labels count for each: rare classes are served first, and what is taken for
    them may bring more of another. The name of the output says what is written: x.csv a table,
    x.json a COCO file, x a new folder of classes.
    """
    check_output(output, data, force=force)
    from fivefold.apps.data_files.converting import write_as_named
    from fivefold.apps.data_files.reading import table_without_copies
    from fivefold.apps.data_files.sampling import draw_sample
    from fivefold.experiment.named_data import open_data

    opened = open_data(data, reading)
    table = table_without_copies(opened.source)
    drawn = draw_sample(table, per_class=per_class, fraction=fraction, seed=seed)
    written = write_as_named(opened, drawn.keep, output, link=link, progress=Terminal())
    if as_json:
        facts = {"images": written.images, "seed": seed, "classes": drawn.counts}
        show_json({**facts, "short": drawn.short, "left_out": opened.left_out})
    else:
        _show(drawn)
    warn((*opened.source.warnings, *written.warnings))
    if drawn.short:
        say(f"fewer than {per_class:,}, so all of them: {', '.join(drawn.short)}")
    say_left_out(opened.left_out)
    say(f"{output}: {written.images:,} images, drawn with the seed {seed}")
    say(written.section)


def _show(drawn: "Sampled") -> None:
    rows = [(name, f"{count:,}", f"{drawn.of[name]:,}") for name, count in drawn.counts.items()]
    show_table(("class", "drawn", "of"), rows)
