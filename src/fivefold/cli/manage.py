"""Commands that train nothing: new, list, schema, report."""

from pathlib import Path
from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show, show_json, starting
from fivefold.cli.data import options
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Terminal


@guarded
def new(  # noqa: PLR0913  one parameter for each option
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="EXPERIMENT",
            help="A folder to make, a YAML file, or a folder of experiments: it gets the next one.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="DATA",
            help="A folder with one folder per class, a CSV or Parquet table, a COCO file, or tar "
            "files such as 'train-{000..009}.tar'; or folders of images and masks.",
        ),
    ],
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="With a table or COCO file: its images."),
    ] = None,
    image_column: options.ImageColumn = None,
    label_column: options.LabelColumn = None,
    separator: options.Separator = None,
    encoding: options.Encoding = None,
    boxes_as_labels: options.BoxesAsLabels = False,
    architecture: Annotated[
        str | None,
        typer.Option(
            "--architecture",
            metavar="NAME",
            help="A backbone; `fivefold list backbones convnext` searches. With masks also what "
            "makes them, such as Unet.",
        ),
    ] = None,
) -> None:
    """Look at your images; write a commented config.yaml for them."""
    from fivefold.apps.new import TableChoice, write_experiment

    table = TableChoice(
        images,
        image_column,
        arguments.column_names(label_column, "--label-column"),
        separator,
        encoding=encoding,
        boxes_as_labels=boxes_as_labels,
    )
    written = write_experiment(experiment, data, table=table, architecture=architecture)
    for line in written.notes:
        say(line)
    show(str(written.config_path))
    say(f"next: fivefold check {written.experiment}, then fivefold fit {written.experiment}")


@guarded
def list_(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Such as losses; none names the kinds.")
    ] = None,
    text: Annotated[
        str, typer.Argument(metavar="FILTER", help="Only names that contain this.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All names, also of the 1,300 backbones.")
    ] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Name what a config may use, such as losses and backbones."""
    from fivefold.cli import listing

    if kind is None:
        listing.show_kinds(as_json=as_json)
        return
    listing.show_kind(kind, text, everything=everything, as_json=as_json)


@guarded
def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A file to write.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
) -> None:
    """Put out the JSON Schema with which editors check a config."""
    import json

    from fivefold.config import json_schema
    from fivefold.core.durable import write_text

    if output is None:
        show_json(json_schema())
        return
    check_free(output, force=force, example="x.json")
    write_text(output, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    say(f"{output}: written; in VS Code add it to the setting yaml.schemas")


@guarded
def report(
    experiment: arguments.Experiment,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Draw again where models looked in the surest mistakes; loads them."
        ),
    ] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Write report.html again: curves, confusions, examples."""
    if explain:
        _draw_mistakes(experiment, allow_imports=allow_imports)
    from fivefold.apps.report import write_pictures, write_report
    from fivefold.config import load
    from fivefold.experiment.finished import renew_if_finished

    folder = RunFolder.of(experiment)
    renew_if_finished(folder, load(experiment), Terminal())
    for path in write_pictures(folder):
        show(str(path))
    show(str(write_report(folder)))


def _draw_mistakes(experiment: Path, *, allow_imports: bool) -> None:
    with starting():
        from fivefold.apps.explain import explain_mistakes
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(experiment, allow_imports=allow_imports, progress=Terminal())
    count = explain_mistakes(opened, seconds=None)
    say(f"{opened.folder.explanations_path.parent}: where models looked in {count} mistakes")
