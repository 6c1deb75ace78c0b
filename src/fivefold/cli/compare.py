"""The command that puts experiments side by side."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.guard import guarded

if TYPE_CHECKING:
    from fivefold.apps.compare import Compared, Comparison

_COMPARED = ("finished", "unfinished")


@guarded
def compare(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Experiments below it count; or a project.")
    ] = Path(),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write everything as a CSV table too."),
    ] = None,
    only_metric: Annotated[
        str | None,
        typer.Option(
            "--only-metric", metavar="METRIC", help="Show this metric alone, and sort by it."
        ),
    ] = None,
    sort_by: Annotated[
        str | None,
        typer.Option(
            "--sort-by",
            metavar="COLUMN",
            help="A metric, best first, or a key of the config; the primary metric if not given.",
        ),
    ] = None,
    as_json: arguments.AsJson = False,
) -> None:
    """Put experiments side by side: what differs, which is best.

    Metrics are means over the folds ± standard deviation, of the epoch whose weights each fold has
    kept. The best value of a column has a * (several if they are equal).
    """
    from fivefold.apps.compare import compare as compare_folder

    found = compare_folder(folder, only_metric=only_metric, sort_by=sort_by)
    if output is not None:
        found.write_csv(output)
    if as_json:
        from fivefold.config import ABSENT

        rows = [{k: None if v is ABSENT else v for k, v in r.items()} for r in found.records()]
        show_json(rows)
    else:
        show_table(*comparison_table(found, only=only_metric is not None))
    for one in found.experiments:
        if one.note:
            say(f"{one.path}: {one.status}: {one.note}")
    if output is not None:
        say(f"{output}: {len(found.experiments)} rows")


def comparison_table(
    found: "Comparison", *, only: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Choose what fits a terminal: what differs, and the metrics of validation and out-of-fold.

    Args:
        found: All there is.
        only: Show all of its metrics, since there is one.

    Returns:
        Header and rows; those that have nothing to compare are left out.
    """
    from fivefold.apps.compare import shown

    names = list(found.metrics) if only else _shown_metrics(found)
    header = ["experiment", *found.parameters, *names]
    rows = []
    for number, one in enumerate(found.experiments):
        if one.status not in _COMPARED:
            continue
        values = [column[number] for column in found.parameters.values()]
        cells = [f"{v:.4g}" if isinstance(v, float) else shown(v) for v in values]
        cells += [_cell(one, name, best=number in found.best.get(name, ())) for name in names]
        rows.append([one.path, *cells])
    return header, rows


def _shown_metrics(found: "Comparison") -> list[str]:
    wanted = [name for name in found.metrics if name.startswith(("val_", "oof_", "holdout_"))]
    first = [name for name in (found.sorted_by,) if name in found.metrics]
    rest = [name for name in wanted or found.metrics if name not in first]
    primary = {one.primary_metric.removeprefix("val_") for one in found.experiments}
    # of the totals, which are in the CSV, one is enough here
    return first + [n for n in rest if n.startswith("val_") or n.partition("_")[2] in primary]


def _cell(one: "Compared", name: str, *, best: bool) -> str:
    spread = one.metrics.get(name, {})
    mean = spread.get("mean", math.nan)
    text = "-" if math.isnan(mean) else f"{mean:.4f}"
    if "std" in spread and not math.isnan(mean):
        text += f" ± {spread['std']:.4f}"
    return f"{text} *" if best else text
