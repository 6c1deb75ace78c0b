"""The command that labels images."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, starting
from fivefold.cli.guard import guarded
from fivefold.cli.mask_prediction import (
    Maps,
    MaskOptions,
    Overlap,
    Overlays,
    SmallestArea,
    Threshold,
    Tiles,
    predict_into_folder,
)
from fivefold.cli.outputs import STANDARD_OUTPUT, check_free
from fivefold.core.durable import write_bytes
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.data import Source
    from fivefold.data.decode import Limits
    from fivefold.experiment.experiment import Experiment


_Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="Probabilities as the models say them, labels from one half on: no temperature, "
        "no thresholds.",
    ),
]


_Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT", help="A folder of images, a table of paths, or images."),
]
_Images = Annotated[
    Path | None,
    typer.Option("--images", metavar="DIR", help="With a table: the folder of its images."),
]
_Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The table; - is the terminal. For masks a new folder.",
    ),
]
_Tta = Annotated[bool, typer.Option("--tta", help="Average over flipped copies too.")]
_Sets = Annotated[
    float | None,
    typer.Option(
        "--sets",
        metavar="COVERAGE",
        help="Add a column with as many classes as it takes for one model to hold the true one "
        "with this probability, such as 0.9: those that at least half of the models have.",
    ),
]
_Force = Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")]
_MaxPixels = Annotated[
    int | None,
    typer.Option(
        "--max-pixels",
        metavar="N",
        help="Read images of up to so many pixels, at most 178,956,970, instead of up to "
        "100,000,000 in files of up to 100 MB.",
    ),
]


@guarded
def predict(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    inputs: _Inputs,
    images: _Images = None,
    output: _Output = STANDARD_OUTPUT,
    folds: arguments.Folds = None,
    stage: arguments.Stage = -1,
    tta: _Tta = False,
    raw: _Raw = False,
    sets: _Sets = None,
    force: _Force = False,
    max_pixels: _MaxPixels = None,
    tiles: Tiles = False,
    overlap: Overlap = None,
    threshold: Threshold = None,
    smallest_area: SmallestArea = None,
    maps: Maps = None,
    overlays: Overlays = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Label images, or make masks, by all folds' models.

    Labels are a CSV table: id, label, confidence, then one probability per class. Where an image
    may have several labels, its label is every class above its threshold, which is one half unless
    the config says otherwise, and its confidence is that of the least sure answer: the lowest p of
    an answered class or 1 - p of another one. Several outputs have these columns each, their names
    in front.

    An experiment on masks writes a folder: masks/ with a PNG for each image, and masks.csv with id,
    class, rle (run lengths down the columns, from 1), pixels, probability (the mean over these
    pixels), height, width. What is written stays when the command is stopped.

    Ids are file names exactly as
    they are: look at the table in a text editor before a spreadsheet if you do not trust them.
    """
    chosen = None if folds is None else arguments.numbers(folds)
    _check_coverage(sets)
    options = MaskOptions(tiles, overlap, threshold, smallest_area, maps, overlays)
    options.check()
    if output.is_file():
        check_free(output, force=force)
    with starting():
        from fivefold.data.decode import limits_of
        from fivefold.evaluation.tables import csv_bytes, prediction_rows
        from fivefold.experiment.opening import open_experiment

        limits = None if max_pixels is None else limits_of(max_pixels)
        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    how: dict[str, Any] = {"folds": chosen, "stage": stage, "tta": tta, "raw": raw}
    if opened.config.makes_masks:
        _refuse_for_masks(sets, force=force)
        source = _opened(inputs, images, limits)
        predict_into_folder(opened, source, inputs, output, options, how)
        return
    options.refuse_all()
    check_free(output, force=force)
    source = _opened(inputs, images, limits)
    # first what can be wrong with it, then what takes time
    decided = _decided(opened, stage, sets, raw=raw)
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


def _refuse_for_masks(sets: float | None, *, force: bool) -> None:
    for option, is_given in (("--sets", sets is not None), ("--force", force)):
        if is_given:
            message = "expected no such option for an experiment that makes masks, got one"
            hint = "folders are not replaced" if option == "--force" else "leave it out"
            raise ConfigError([Problem("cli/stray-option", option, message, hint)])


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


def _opened(
    inputs: Sequence[Path], images: Path | None, limits: "Limits | None"
) -> "Source | Path | Sequence[Path]":
    """Open what the experiment would open otherwise; leave everything else to it."""
    from fivefold.data.decode import DEFAULT_LIMITS
    from fivefold.experiment.datasets import open_inputs

    named = inputs[0] if len(inputs) == 1 else inputs
    if images is None and limits is None:
        return named
    return open_inputs(named, images, limits=limits or DEFAULT_LIMITS)
