"""The command that labels images."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, starting
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import STANDARD_OUTPUT, check_free
from fivefold.core.durable import write_bytes
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.data import Source
    from fivefold.experiment.experiment import Experiment


_Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="Probabilities as the models say them, labels from one half on: no temperature, "
        "no thresholds.",
    ),
]


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
    raw: _Raw = False,
    sets: Annotated[
        float | None,
        typer.Option(
            "--sets",
            metavar="COVERAGE",
            help="Add a column with as many classes as it takes for one model to hold the true one "
            "with this probability, such as 0.9: those that at least half of the models have.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Label images by all folds' models together; gives a CSV table.

    Columns: id, label, confidence, then one probability per class. Where an image may have several
    labels, its label is every class above its threshold, which is one half unless the config says
    otherwise, and its confidence is that of the least sure answer: the lowest p of an answered
    class or 1 - p of another one. Several outputs have these columns each, their names in front.

    Ids are file names exactly as
    they are: look at the table in a text editor before a spreadsheet if you do not trust them.
    """
    chosen = None if folds is None else arguments.numbers(folds)
    _check_coverage(sets)
    check_free(output, force=force)
    with starting():
        from fivefold.evaluation.tables import csv_bytes, prediction_rows
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    source = _opened(inputs, images)
    # first what can be wrong with it, then what takes time
    decided = _decided(opened, stage, sets, raw=raw)
    how: dict[str, Any] = {"folds": chosen, "stage": stage, "tta": tta, "raw": raw}
    if sets is None:
        predictions = opened.predict(source, **how)
    else:
        _tell_sets(opened, chosen, stage, sets, raw=raw)
        predictions, decided["sets"] = opened.predict_sets(source, sets, **how)
    data = csv_bytes(prediction_rows(predictions, **decided))
    if output == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    write_bytes(output, data)
    say(f"{output}: {len(predictions)} predictions")


def _check_coverage(sets: float | None) -> None:
    """Refuse a probability that no set can have, before anything heavy is loaded."""
    if sets is not None and not 0 < sets < 1:
        msg = f"expected a number between 0 and 1, such as 0.9, got {sets:g}"
        raise typer.BadParameter(msg, param_hint="--sets")


def _decided(opened: "Experiment", stage: int, sets: float | None, *, raw: bool) -> dict[str, Any]:
    """Find what becomes of predictions, and say it; give what a table needs to know of it."""
    from fivefold.experiment.applying import thresholds_of, told
    from fivefold.experiment.decisions import Wishes

    if sets is None and (raw or Wishes.by(opened.config).changes_nothing):
        return {}
    decisions = opened.decisions(stage, coverage=sets, raw=raw)
    done = told(decisions)
    if done:
        say(f"applied: {done} (--raw leaves it out)")
    return {"thresholds": thresholds_of(decisions)}


def _tell_sets(
    opened: "Experiment", folds: Sequence[int] | None, stage: int, sets: float, *, raw: bool
) -> None:
    """Say what prediction sets promise, and what they come to on the holdout."""
    from fivefold.experiment.applying import held_out_coverage, told_of_sets
    from fivefold.experiment.trained import trained_folds

    decisions = opened.decisions(stage, coverage=sets, raw=raw)
    numbers = trained_folds(opened.folder, opened.config, folds, stage)
    coverage = held_out_coverage(opened.folder, decisions, numbers)
    say(f"sets: {told_of_sets(decisions, len(numbers), coverage)}")


def _opened(inputs: Sequence[Path], images: Path | None) -> "Source | Path | Sequence[Path]":
    """Open a table whose images are elsewhere; leave everything else to the experiment."""
    if images is None:
        return inputs[0] if len(inputs) == 1 else inputs
    from fivefold.experiment.datasets import open_inputs

    return open_inputs(inputs, images)
