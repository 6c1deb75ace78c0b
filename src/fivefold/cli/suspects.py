"""The command that finds labels that may be wrong."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import STANDARD_OUTPUT, check_free
from fivefold.core.durable import write_bytes
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.data import Source
    from fivefold.evaluation.label_errors import HeadErrors
    from fivefold.experiment.suspects import SuspectTable

_SHOWN = 20
_FORMULA = re.compile(r"[=+@\t\r]|-(?!\d+$)")  # what a spreadsheet would compute
_WORDS = {"cleanlab": "cleanlab", "own": "fivefold's own ranking"}


@guarded
def suspects(  # noqa: PLR0913  one parameter for each option
    experiment: arguments.Experiment,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="All of them as a CSV table to edit."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            metavar="FILE",
            help="Pictures of the worst, a PNG; more in FILE-2 and so on.",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", metavar="N", min=1, help="Only the worst N.")
    ] = None,
    accept: Annotated[
        float | None,
        typer.Option(
            "--accept",
            metavar="CONFIDENCE",
            min=0,
            max=1,
            help="Write suggestions from this confidence on (0-1) under `corrected`.",
        ),
    ] = None,
    stage: arguments.Stage = -1,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace existing FILEs.")] = False,
    as_json: arguments.AsJson = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Find labels that may be wrong; give a table to correct them.

    Models contradict them that have not seen the image. Of every class as many are suspects as
    confident learning estimates to be wrong; the package cleanlab decides where it is installed
    (extra `clean`), else the same computation here. Hard images are among them: look at each.

    Columns of the table: id, path (seen from the experiment), given, suggested, confidence (how
    sure models are, raw: at no temperature), score (0 is worst) and fold (-1 is the holdout).
    Where a label is wrong, write the right class under `corrected` (several with | between them);
    where an image is to be left out, `no` under `keep`. Then name the table in a new experiment:
    dataset: {..., corrections: suspects.csv}.
    """
    _check_accepted(accept, output)
    _check_outputs(output, sheet, force=force, as_json=as_json)
    from fivefold.core.layout import RunFolder
    from fivefold.experiment.assembling import assembled
    from fivefold.experiment.finished import recorded_config
    from fivefold.experiment.loading import load_named
    from fivefold.experiment.suspects import find_suspects

    folder, progress = RunFolder.of(experiment), Terminal()
    config = load_named(folder.config_path, allow_imports=allow_imports)
    table = find_suspects(folder, config, stage, allow_imports=allow_imports, progress=progress)
    table = table if top is None else table.top(top)
    table = table if accept is None else table.accepting(accept)
    if sheet is not None and table.suspects:
        recorded = recorded_config(folder, config)
        source = assembled(recorded, allow_imports=allow_imports, progress=progress)
        _draw(table, source, sheet, force=force)
    if output is not None:
        _save(table, output)
    if as_json:
        show_json(table.record())
    elif output != STANDARD_OUTPUT:
        _show(table, whole=top is not None)
    for line in _told(table):
        say(line)


def _check_accepted(accept: float | None, output: Path | None) -> None:
    if accept is not None and output is None:
        msg = "expected -o FILE beside it: suggestions are accepted in the table"
        raise typer.BadParameter(msg, param_hint="--accept")


def _check_outputs(output: Path | None, sheet: Path | None, *, force: bool, as_json: bool) -> None:
    if output is not None:
        check_free(output, force=force)
    if output == STANDARD_OUTPUT and as_json:
        msg = "expected one of -o - and --json: both write to the terminal"
        raise typer.BadParameter(msg, param_hint="--output")
    if sheet is not None:
        check_free(sheet, force=force, example="lr.png")


def _save(table: "SuspectTable", output: Path) -> None:
    if output == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(table.as_csv())
        return
    table.save(output)
    count = len(table.suspects)
    say(f"{output}: {count:,} suspect{'' if count == 1 else 's'}, to be looked at and corrected")
    if any(_FORMULA.match(cell) for row in table.rows() for cell in row):
        say("some names begin with = + - @: have a spreadsheet import them as text, not compute")


def _draw(table: "SuspectTable", source: "Source", sheet: Path, *, force: bool) -> None:
    from fivefold.apps.suspects import draw_sheets, number_of_sheets

    more = range(2, number_of_sheets(table) + 1)
    paths = [sheet, *(sheet.with_stem(f"{sheet.stem}-{number}") for number in more)]
    for path in paths:
        check_free(path, force=force, example="lr.png")
    for path, png in zip(paths, draw_sheets(table, source, Terminal()), strict=True):
        write_bytes(path, png)
    say(f"{paths[0]}: pictures of the worst" + (f", up to {paths[-1]}" if more else ""))


def _show(table: "SuspectTable", *, whole: bool) -> None:
    listed = table.suspects if whole else table.suspects[:_SHOWN]
    several = len(table.heads) > 1
    header = ["id", "output", "given", "suggested", "confidence", "fold"]
    rows = [
        [
            one.sample_id,
            one.head,
            table.text_of(one, one.given),
            table.text_of(one, one.suggested),
            f"{one.confidence:.3f}",
            str(one.fold) if one.fold >= 0 else "holdout",
        ]
        for one in listed
    ]
    if not several:
        header, rows = [header[0], *header[2:]], [[row[0], *row[2:]] for row in rows]
    if rows:
        show_table(header, rows, texts=range(len(header) - 2))
    left = len(table.suspects) - len(listed)
    if left:
        say(f"{left:,} more: -o suspects.csv writes all")


def _told(table: "SuspectTable") -> Iterator[str]:
    if table.accept is not None:
        count = len(table.accepted)
        what = "suggestion" if count == 1 else "suggestions"
        yield f"{count:,} {what} accepted, unseen: models were at least {table.accept:g} sure"
    for head in table.found.heads:
        yield f"{head.name}: {_expected(head)}" if head.name else _expected(head)
        if head.skipped:
            classes = ", ".join(map(repr, head.skipped[:5])) + (", …" if head.skipped[5:] else "")
            why = "all samples or none have them, or models say the same of all"
            yield f"not asked, since {why}: {classes}"
    yield f"found by {_WORDS[table.found.ranking]}; hard images are among suspects: look at each"


def _expected(head: "HeadErrors") -> str:
    if head.undefined:
        return f"nothing can be said of the labels: {head.undefined}"
    wrong = head.wrong
    are = "is a suspect" if head.suspects == 1 else "are suspects"
    found = f"{head.suspects:,} of {head.samples:,} labels {are}"
    what = "answers (one for each class and sample)" if head.binary else "labels"
    if not head.suspects:
        found = f"no label of {head.samples:,} is a suspect"
    if wrong is None:
        return f"{found}; how many {what} are wrong cannot be estimated: {head.doubt}"
    between = f"95 % interval {wrong.low:.1%} to {wrong.high:.1%}"
    return f"{found}; an estimated {wrong.value:.1%} of all {what} are wrong ({between})"
