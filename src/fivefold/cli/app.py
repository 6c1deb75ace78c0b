"""The command line's entry: which commands there are, and how they are explained."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer
from typer.core import TyperCommand

from fivefold import __version__
from fivefold.cli import (
    compare,
    evaluate,
    explain,
    lr_find,
    manage,
    plot,
    predict,
    preview,
    suspects,
    train,
)
from fivefold.cli.console import close_streams, open_streams
from fivefold.cli.data.group import group as data_group
from fivefold.cli.guard import PIPE_CLOSED
from fivefold.cli.musket_flags import CompareCommand, FitCommand

# Plain help: drawing boxes would load rich, which takes longer than the rest together.
app = typer.Typer(
    name="fivefold", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

_COMMANDS: tuple[tuple[str, Callable[..., None], tuple[str, ...]], ...] = (
    (
        "demo",
        train.demo,
        ("fivefold demo", "fivefold demo ~/digits"),
    ),
    (
        "new",
        manage.new,
        (
            "fivefold new flowers --data photos",
            "fivefold new flowers --data labels.csv --images photos",
            "fivefold new birds --data table.csv --image-column file --label-column species",
            "fivefold new tags --data tags.csv --separator ' '    several labels in one cell",
            "fivefold new parts --data coco.json --images photos --boxes-as-labels",
            "fivefold new cells --data cells    with folders images and masks in it: makes masks",
            "fivefold new experiments --data photos    adds 002.photos.resnet18-lr1e-3, say",
        ),
    ),
    (
        "check",
        train.check,
        ("fivefold check flowers", "fivefold check flowers --set batch=64"),
    ),
    (
        "fit",
        train.fit,
        (
            "fivefold fit flowers",
            "fivefold fit flowers --folds 0",
            "fivefold fit flowers --time 2h    stops after an epoch; the same command goes on",
            "fivefold fit flowers birds    one after the other",
            "fivefold fit --project . --name 'resnet*,baseline'    of ./experiments",
            "fivefold fit flowers --jobs 1    one fold after the other: takes the least memory",
            "fivefold fit flowers --set stages.0.lr=1e-3 --set stages.0.epochs=2",
        ),
    ),
    (
        "lr-find",
        lr_find.lr_find,
        (
            "fivefold lr-find flowers -o lr.png",
            "fivefold lr-find flowers -o lr.png --stage 1 --steps 200",
            "fivefold lr-find flowers -o lr.png --start 1e-3 --end 1e-1 --linear",
        ),
    ),
    (
        "preview",
        preview.preview,
        (
            "fivefold preview flowers -o grid.png",
            "fivefold preview flowers --stage 1 --set 'augmentation={Fliplr: 0.5}'",
        ),
    ),
    (
        "predict",
        predict.predict,
        (
            "fivefold predict flowers new-photos -o labels.csv",
            "fivefold predict flowers one.jpg two.jpg --tta",
            "fivefold predict flowers new-photos --sets 0.9    sets that hold the truth so often",
            "fivefold predict flowers new-photos --raw    no temperature, no thresholds",
            "fivefold predict flowers list.csv --images new-photos -o labels.csv",
            "fivefold predict flowers new-photos --folds 0,1 --stage 0 -o labels.csv --force",
            "fivefold predict cells new-scans -o masks --overlays    of an experiment on masks",
            "fivefold predict cells large-scans -o masks --tiles    at their own resolution",
        ),
    ),
    (
        "evaluate",
        evaluate.evaluate,
        (
            "fivefold evaluate flowers",
            "fivefold evaluate flowers -o measured    tables and pictures too",
            "fivefold evaluate flowers new-photos    one folder per class, as in training",
            "fivefold evaluate flowers new.csv --images new-photos --json",
            "fivefold evaluate flowers --holdout --stage 0",
            "fivefold evaluate flowers --by-fold",
        ),
    ),
    (
        "suspects",
        suspects.suspects,
        (
            "fivefold suspects flowers",
            "fivefold suspects flowers -o suspects.csv --sheet suspects.png",
            "fivefold suspects flowers --top 50 --json",
        ),
    ),
    (
        "explain",
        explain.explain,
        (
            "fivefold explain flowers new-photos -o looked",
            "fivefold explain flowers one.jpg --class rose --class tulip --method layercam",
            "fivefold explain flowers --mistakes 20 -o mistakes",
            "fivefold explain flowers --sample daisy/a.jpg --min-probability 0.1",
        ),
    ),
    (
        "plot",
        plot.plot,
        (
            "fivefold plot flowers",
            "fivefold plot flowers -o curves.svg --metric loss --metric accuracy",
            "fivefold plot flowers -o curves --show-stages    a folder: a picture for each metric",
            "fivefold plot training_log.csv    as Keras's CSVLogger writes it",
        ),
    ),
    (
        "compare",
        compare.compare,
        (
            "fivefold compare experiments -o result.csv",
            "fivefold compare experiments --only-metric val_macro_f1",
            "fivefold compare experiments --against baseline --html compare.html",
            "fivefold compare experiments --sort-by stages.0.lr",
        ),
    ),
    ("report", manage.report, ("fivefold report flowers",)),
    (
        "list",
        manage.list_,
        (
            "fivefold list",
            "fivefold list losses",
            "fivefold list backbones resnet",
            "fivefold list metrics --json",
        ),
    ),
    ("schema", manage.schema, ("fivefold schema -o fivefold.schema.json",)),
)

_CLASSES: Mapping[str, type[TyperCommand]] = {"compare": CompareCommand, "fit": FitCommand}


def _version(wanted: bool) -> None:  # noqa: FBT001  typer calls it with the option's value
    if wanted:
        print(f"fivefold {__version__}")
        raise typer.Exit


@app.callback(
    epilog="\b\nExamples:\n  fivefold demo\n  fivefold new flowers --data photos\n"
    "  fivefold fit flowers\n  fivefold COMMAND --help",
)
def _fivefold(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """One YAML file and a set of images become five cross-validated models of classes or masks."""


for _name, _function, _examples in _COMMANDS:
    _epilog = "\b\nExamples:\n  " + "\n  ".join(_examples)
    app.command(_name, cls=_CLASSES.get(_name), epilog=_epilog)(_function)
app.add_typer(data_group, name="data")


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Args:
        arguments: What stands behind `fivefold`.

    Returns:
        The exit code: 0, or that of the error; 2 for a wrong command line.
    """
    try:
        app(list(arguments), prog_name="fivefold")
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):  # typer makes a 1 of it
            return PIPE_CLOSED
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0


def main() -> None:
    """Run the command line of this process and end it."""
    open_streams()
    code = run(sys.argv[1:])
    sys.exit(code if close_streams() or code else PIPE_CLOSED)
