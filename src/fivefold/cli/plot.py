"""The command that draws curves."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fivefold.cli.console import show_pairs
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.durable import write_bytes


@guarded
def plot(
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="EXPERIMENT",
            help="A folder with a config.yaml, a YAML file, or a table with a column `epoch`.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The picture, .png or .svg; a folder gets one for each metric.",
        ),
    ] = Path("curves.png"),
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Only this one, such as accuracy, val_loss or lr; may be repeated.",
        ),
    ] = None,
    show_stages: Annotated[
        bool, typer.Option("--show-stages", help="Give each stage an axis of its own.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
) -> None:
    """Draw the curves of all folds and stages of a run.

    It may be at work, or half finished. Bold lines are of the validation samples, thin dashes of
    the training ones.
    """
    from fivefold.apps.plot.reading import choose_metrics, read_log

    in_folder = output.is_dir() or not output.suffix
    if not in_folder:
        check_free(output, force=force, example="curves.png")
    log = read_log(experiment)
    metrics = choose_metrics(log, metric or ())
    pictures = {output: metrics}
    if in_folder:
        pictures = {output / f"{_file_name(name)}.png": {name: metrics[name]} for name in metrics}
        for path in pictures:
            check_free(path, force=force, example="curves.png")
    from fivefold.apps.plot.drawing import draw_curves

    for path, chosen in pictures.items():
        kind: Literal["png", "svg"] = "svg" if path.suffix.casefold() == ".svg" else "png"
        write_bytes(path, draw_curves(log, chosen, kind, each_stage=show_stages))
    epochs = ", ".join(f"stage {stage}: {count}" for stage, count in log.lengths.items())
    folds = ", ".join(map(str, log.folds))
    show_pairs(
        [("folds", folds), ("epochs", epochs), *(("picture", str(path)) for path in pictures)]
    )


def _file_name(metric: str) -> str:
    """Make a metric's name one of a file in any folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in metric).lstrip(".") or "_"
