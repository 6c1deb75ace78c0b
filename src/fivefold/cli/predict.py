"""The command that labels images."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, starting
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import STANDARD_OUTPUT, check_free
from fivefold.core.durable import write_bytes
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.data import Source


@guarded
def predict(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT", help="A folder of images, a table of paths, or images."),
    ],
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="With a table: the folder of its images."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The table; - is the terminal.")
    ] = STANDARD_OUTPUT,
    folds: arguments.Folds = None,
    stage: arguments.Stage = -1,
    tta: Annotated[bool, typer.Option("--tta", help="Average over flipped copies too.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Label images by all folds' models together; gives a CSV table.

    Columns: id, label, confidence, then one probability per class. Where an image may have several
    labels, its label is every class above one half, and its confidence is that of the least sure
    answer: the lowest of max(p, 1 - p) over all classes. Several outputs have these columns each,
    their names in front.

    Ids are file names exactly as
    they are: look at the table in a text editor before a spreadsheet if you do not trust them.
    """
    chosen = None if folds is None else arguments.numbers(folds)
    check_free(output, force=force)
    with starting():
        from fivefold.evaluation.tables import csv_bytes, prediction_rows
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    source = _opened(inputs, images)
    predictions = opened.predict(source, folds=chosen, stage=stage, tta=tta)
    data = csv_bytes(prediction_rows(predictions))
    if output == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    write_bytes(output, data)
    say(f"{output}: {len(predictions)} predictions")


def _opened(inputs: Sequence[Path], images: Path | None) -> "Source | Path | Sequence[Path]":
    """Open a table whose images are elsewhere; leave everything else to the experiment."""
    if images is None:
        return inputs[0] if len(inputs) == 1 else inputs
    from fivefold.experiment.datasets import open_inputs

    return open_inputs(inputs, images)
