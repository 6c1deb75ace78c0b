"""The command that looks for a learning rate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_pairs, starting
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.durable import write_bytes
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.engine.lr_finder import LRFinder


@guarded
def lr_find(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The picture, a PNG.")
    ] = Path("lr.png"),
    fold: Annotated[int, typer.Option("--fold", metavar="N", min=0, help="On which fold.")] = 0,
    stage: Annotated[
        int,
        typer.Option("--stage", metavar="N", help="Of which stage; those before must be trained."),
    ] = 0,
    start: Annotated[
        float, typer.Option("--start", metavar="LR", help="The first learning rate.")
    ] = 1e-6,
    end: Annotated[float, typer.Option("--end", metavar="LR", help="Where they go.")] = 1.0,
    epochs: Annotated[
        int,
        typer.Option(
            "--epochs", metavar="N", min=1, max=10_000, help="Passes over the training samples."
        ),
    ] = 5,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", min=2, max=100_000, help="Steps, instead of epochs."),
    ] = None,
    linear: Annotated[
        bool, typer.Option("--linear", help="Add from step to step instead of multiplying.")
    ] = False,
    overrides: arguments.Overrides = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Try learning rates, draw the loss with each, and suggest one.

    Training begins as in the experiment, with a rate that rises in every step until the smoothed
    loss is four times its lowest. The experiment's own files stay as they are.
    """
    for option, rate in (("--start", start), ("--end", end)):
        if not 1e-30 <= rate <= 1000:
            msg = f"expected a learning rate from 1e-30 to 1000, got {rate:g}"
            raise typer.BadParameter(msg, param_hint=option)
    check_free(output, force=force, example="lr.png")
    with starting():
        from fivefold.engine.lr_finder import Sweep
        from fivefold.engine.lr_plots import new_figure, png
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(
            experiment, overrides or (), allow_imports=allow_imports, progress=Terminal()
        )
    sweep = Sweep(
        start_lr=start,
        end_lr=end,
        epochs=epochs,
        steps=steps,
        scale="linear" if linear else "log",
    )
    finder = opened.lr_find(fold=fold, stage=stage, sweep=sweep)
    write_bytes(output, png(finder.plot_loss(*_left_out(finder), figure=new_figure())))
    _tell(finder, output)


def _left_out(finder: "LRFinder") -> tuple[int, int]:
    """Leave out what hides the curve: the first steps, and where the loss explodes."""
    return (0, 1 if finder.stopped else 0)


def _tell(finder: "LRFinder", output: Path) -> None:
    found = finder.suggest()
    tried = f"{len(finder.lrs)} rates from {finder.lrs[0]:.2g} to {finder.lrs[-1]:.2g}"
    lines = [("tried", tried)]
    if found is not None:
        lines.append(("lowest loss", f"at {found.lowest:.2g}"))
        lines.append(("suggestion", f"lr: {found.steepest:.2g}"))
    if finder.stopped:
        lines.append(("stopped", finder.stopped))
    show_pairs([*lines, ("picture", str(output))])
    if found is None:
        say("no suggestion: the loss does not fall clearly; try other rates, or more steps")
