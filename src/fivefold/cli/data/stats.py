"""The command that counts a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.check import Data
from fivefold.cli.data.places import check_apart
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.apps.data_check.mask_stats import MaskStats
    from fivefold.experiment.named_data import Reading


@guarded
@with_reading
def stats(
    data: Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A picture, a PNG.")
    ] = None,
    *,
    reading: "Reading",
    overrides: arguments.Overrides = None,
    force: options.Force = False,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Count the images of each class; tell sizes, formats, imbalance.

    Of each image only the beginning of its file is read. Masks are read whole: their pixels are
    counted too, and how much of the images they cover.
    """
    if output is not None:
        check_free(output, force=force, example="lr.png")
    from fivefold.apps.data_check import draw_stats, stats_of
    from fivefold.core.durable import write_bytes
    from fivefold.experiment.named_data import open_any

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
    if found.masks is not None:
        _show_masks(found.masks)
    say(
        f"{found.images:,} images, {found.unusable:,} that cannot be used as far as headers tell: "
        "`fivefold data check` reads the rest"
    )
    for side, (least, median, most) in found.sides.items():
        say(f"{side}: {least} to {most} pixels, median {median}")
    say("formats: " + ", ".join(f"{n:,} {name}" for name, n in found.formats.items()))
    if found.imbalance is not None:
        say(f"imbalance: the largest class has {found.imbalance:.3g} times the smallest's images")


def _show_masks(masks: "MaskStats") -> None:
    """Put out what masks show of each class, and how much of their images they cover."""
    parts = [(name, f"{n:,}", f"{n / masks.total:.2%}") for name, n in masks.pixels.items()]
    if masks.ignored:
        parts.append(("ignored", f"{masks.ignored:,}", f"{masks.ignored / masks.total:.2%}"))
    show_table(("class", "pixels", "share"), parts)
    total = max(sum(masks.covered.values()), 1)
    ranges = [(name, f"{n:,}", f"{n / total:.1%}") for name, n in masks.covered.items()]
    show_table(("covered part", "images", "share"), ranges)
    say(f"{masks.empty:,} masks show nothing of what is looked for")
