"""The command that puts experiments side by side."""

import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free

if TYPE_CHECKING:
    from fivefold.apps.compare import Comparison

_PAGES = (".html", ".htm")
_NAMED = 3  # of folders that are no experiments


_Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Experiments below it count; or a project.")
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write everything as a CSV table too; a FILE.html is as --html.",
    ),
]
_Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page to look at too: one file, offline."),
]
_OnlyMetric = Annotated[
    str | None,
    typer.Option("--only-metric", metavar="METRIC", help="Show this metric alone, and sort by it."),
]
_SortBy = Annotated[
    str | None,
    typer.Option(
        "--sort-by",
        metavar="COLUMN",
        help="A metric, best first, or a key of the config; the primary metric if not given.",
    ),
]
_Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="EXPERIMENT",
        help="Compare all with this one, named as in the table; the best if not given.",
    ),
]


@guarded
def compare(  # noqa: PLR0913  one parameter for each option
    folder: _Folder = Path(),
    output: _Output = None,
    html: _Html = None,
    only_metric: _OnlyMetric = None,
    sort_by: _SortBy = None,
    against: _Against = None,
    by_sample: Annotated[
        bool,
        typer.Option("--by-sample", help="Compare out-of-fold predictions sample by sample too."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Put experiments side by side: what differs, which is best.

    Metrics are means over the folds ± standard deviation, of the epoch whose weights each fold has
    kept. The best value of a column has a * (several if they are equal), where experiments were
    measured on several data that of each. The difference is that
    from the best experiment, fold by fold, with a 95 % interval that knows that folds share their
    training data; ≈ marks what is not distinguishable. A terminal shows as many columns as fit it;
    a pipe gets all, and the CSV all digits too.
    """
    if output is not None and output.suffix.casefold() in _PAGES and html is None:
        output, html = None, output
    if output is not None:
        check_free(output, force=force)
    if html is not None:
        check_free(html, force=force, example="compare.html")
    from fivefold.apps.compare import compare as compare_folder

    found = compare_folder(
        folder, only_metric=only_metric, sort_by=sort_by, against=against, by_sample=by_sample
    )
    if output is not None:
        found.write_csv(output)
    if html is not None:
        from fivefold.apps.compare.page import write_page

        write_page(found, html)
    if as_json:
        from fivefold.config import ABSENT

        rows = [{k: None if v is ABSENT else v for k, v in r.items()} for r in found.records()]
        show_json(rows)
    else:
        _show(found, output)
    for line in _notes(found):
        say(line)
    if output is not None:
        say(f"{output}: {len(found.experiments)} rows")
    if html is not None:
        say(f"{html}: {html.stat().st_size / 1000:.0f} kB")


def _notes(found: "Comparison") -> list[str]:
    """Word what is to be known of experiments; other folders are counted, not listed."""
    foreign: dict[str, list[str]] = defaultdict(list)
    lines = []
    for one in found.experiments:
        if one.status == "foreign":
            foreign[one.note].append(one.path)
        elif one.note:
            lines.append(f"{one.path}: {one.status}: {one.note}")
    for note, paths in foreign.items():
        more = ", …" if len(paths) > _NAMED else ""
        count = f"{len(paths)} folders: " if len(paths) > 1 else ""
        lines.append(f"{count}{', '.join(paths[:_NAMED])}{more}: left out: {note}")
    lines += _differences(found)
    if found.num_data > 1:
        some = "a * is the best of those on the same data"
        lines.append(
            f"measured on {found.num_data} different data, which cannot be compared; {some}"
        )
    if found.compares_losses:
        text = f"{found.sorted_by}: of different losses, which cannot be compared"
        lines.append(f"{text}; `--sort-by METRIC` takes another metric")
    return lines


def _differences(found: "Comparison") -> list[str]:
    """Say how many comparisons were made, and of what there is none."""
    sentence = found.differences.sentence()
    reasons: dict[str, list[str]] = defaultdict(list)
    for one, judged in zip(found.experiments, found.differences.judged, strict=True):
        if judged.note and judged.verdict != "reference":
            reasons[f"{judged.verdict}: {judged.note}"].append(one.path)
        if judged.by_sample is not None and judged.by_sample.why:
            reasons[f"by sample: {judged.by_sample.why}"].append(one.path)
    lines = [sentence] if sentence else []
    for reason, paths in reasons.items():
        more = ", …" if len(paths) > _NAMED else ""
        count = f"{len(paths)} experiments: " if len(paths) > 1 else ""
        lines.append(f"{count}{', '.join(paths[:_NAMED])}{more}: {reason}")
    return lines


def _show(found: "Comparison", output: Path | None) -> None:
    """Put out the table: to a terminal what fits, else all of it."""
    from fivefold.cli.compare_table import fitting_table, whole_table

    if not sys.stdout.isatty():
        table = whole_table(found)
        show_table(table.header, table.rows)
        return
    table = fitting_table(found, shutil.get_terminal_size().columns)
    show_table(table.header, table.rows)
    if table.left_out:
        place = f"they are in {output}" if output else "add `-o result.csv`, or `| less -S`"
        say(f"{table.left_out} more columns: {place}")
