"""The command that shows where models look."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table, starting
from fivefold.cli.guard import guarded
from fivefold.core.errors import ConfigError, Problem
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.apps.explain import Written
    from fivefold.experiment.experiment import Experiment

_SHOWN = 20

_Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[INPUT]...", help="A folder of images, a table, or images."),
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder for the pictures.")
]
_Mistakes = Annotated[
    int | None,
    typer.Option(
        "--mistakes", metavar="N", min=1, help="The N surest mistakes out of fold, no INPUT."
    ),
]
_Samples = Annotated[
    list[str] | None,
    typer.Option(
        "--sample",
        "--samples",
        metavar="ID",
        help="A sample of the experiment's own data, no INPUT; may be repeated.",
    ),
]
_Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="NAME",
        help="Where this class is seen, whatever is answered; may be repeated.",
    ),
]
_AtLeast = Annotated[
    float | None,
    typer.Option("--min-probability", metavar="P", min=0, max=1, help="All classes from this on."),
]
_HeadName = Annotated[
    str, typer.Option("--head", metavar="NAME", help="Of several outputs only this one.")
]
_Method = Annotated[
    Literal["gradcam", "layercam", "rollout"],
    typer.Option("--method", help="`rollout` is for transformers, and knows no classes."),
]
_Layer = Annotated[
    str,
    typer.Option(
        "--layer", metavar="NAME", help="Of the network; the last with a map that decides."
    ),
]
_Alpha = Annotated[float, typer.Option("--alpha", min=0, max=1, help="How opaque the colours are.")]
_MaxSize = Annotated[
    int,
    typer.Option("--max-size", metavar="N", min=0, help="Longer side in pixels at most; 0 is any."),
]
_Images = Annotated[
    Path | None,
    typer.Option("--images", metavar="DIR", help="With a table: the folder of its images."),
]


@guarded
def explain(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    inputs: _Inputs = None,
    output: _Output = Path("explained"),
    mistakes: _Mistakes = None,
    samples: _Samples = None,
    classes: _Classes = None,
    at_least: _AtLeast = None,
    head: _HeadName = "",
    method: _Method = "gradcam",
    layer: _Layer = "",
    folds: arguments.Folds = None,
    stage: arguments.Stage = -1,
    alpha: _Alpha = 0.6,
    max_size: _MaxSize = 1024,
    images: _Images = None,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Show where models look, by colours on the images.

    Images stand beside copies with colours where models see a class. By default that is what is
    answered, and of samples whose truth is known also what is true. New images are looked at by all
    folds' models, and their maps are averaged; a sample that was trained on only by the model that
    has not seen it.

    In DIR there will be a PNG for each image, and explanations.csv: file, id, head, class,
    probability, true, folds, layer. Probabilities of INPUTs are what `fivefold predict` says, so
    scaled where the config says `calibration: temperature`; else raw. What is written stays when
    the command is stopped.
    """
    _check_what(inputs, mistakes, samples, images)
    _check_folder(output, inputs or ())
    chosen = None if folds is None else arguments.numbers(folds)
    with starting():
        from fivefold.apps.explain import Look, write_explanations
        from fivefold.experiment.explaining import Question
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    question = Question(tuple(classes or ()), at_least, head, method, layer)
    if inputs:
        found = opened.explain(_source(inputs, images), question, folds=chosen, stage=stage)
    else:
        ids = mistakes or samples or ()
        found = opened.explain_samples(ids, question, folds=chosen, stage=stage)
    written = write_explanations(found, output, Look(alpha, max_size))
    is_scaled = bool(inputs) and opened.config.calibration == "temperature"
    _tell(written, output, is_scaled=is_scaled, as_json=as_json)


def explain_for_report(opened: "Experiment") -> None:
    """Draw the small overlays of a run's surest mistakes; that they cannot be is a warning.

    Of masks there are none: they say themselves where something was seen.

    Args:
        opened: Trained.
    """
    import logging
    import time

    from fivefold.apps.explain import explain_mistakes

    if opened.config.makes_masks:
        return
    begun = time.monotonic()
    try:
        count = explain_mistakes(opened)
    except Exception as error:  # the run is finished and whole without them
        told = str(error).partition("\n")[0] or type(error).__name__
        logging.getLogger(__name__).warning("the report shows no overlays: %s", told)
        return
    if count:
        place = opened.folder.explanations_path.parent
        seconds = time.monotonic() - begun
        say(f"{place}: where models looked in {count} mistakes, drawn in {seconds:.0f} s")


def _check_what(
    inputs: Sequence[Path] | None,
    mistakes: int | None,
    samples: Sequence[str] | None,
    images: Path | None,
) -> None:
    """Refuse a command line that says nothing to look at, or several things."""
    given = [bool(inputs), mistakes is not None, bool(samples)]
    if sum(given) != 1:
        got = "several" if any(given) else "nothing"
        msg = f"expected either INPUTs, --mistakes or --sample, got {got}"
        raise typer.BadParameter(msg, param_hint="INPUT")
    if images is not None and not inputs:
        message = "expected no such option without a table, got one"
        raise ConfigError([Problem("cli/stray-option", "--images", message, "leave it out")])


def _check_folder(output: Path, inputs: Sequence[Path]) -> None:
    from fivefold.apps.data_files.folder_writing import check_new_folder

    for source in inputs or [output / "nothing"]:
        check_new_folder(output, source)


def _source(inputs: Sequence[Path], images: Path | None) -> Any:
    from fivefold.experiment.datasets import open_inputs

    return open_inputs(list(inputs) if len(inputs) > 1 else inputs[0], images)


def _tell(written: "Written", output: Path, *, is_scaled: bool, as_json: bool) -> None:
    if as_json:
        show_json(written.rows)
    else:
        header = ("file", "class", "probability", "true")
        rows = [[str(row[name]) for name in header] for row in written.rows[:_SHOWN]]
        show_table(header, rows, texts=(0, 1, 3))
        if len(written.rows) > _SHOWN:
            say(f"{len(written.rows) - _SHOWN} more are in {output / 'explanations.csv'}")
    if written.without:
        say(f"{written.without} images without a class that is likely enough: no picture")
    if written.rows:
        how = "scaled, as `fivefold predict` gives them" if is_scaled else "raw, as models say them"
        say(f"probabilities: {how}")
    layers = sorted({row["layer"] for row in written.rows if row["layer"]})
    of_layer = f", of layer {', '.join(layers)}" if layers else ""
    say(f"{output}: {written.pictures} pictures{of_layer}")
