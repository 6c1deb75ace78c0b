"""The command that draws a part for testing, and folds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_json, show_table
from fivefold.cli.data import options
from fivefold.cli.data.places import check_named, check_outputs
from fivefold.cli.data.reading_options import with_reading
from fivefold.cli.data.told import say_left_out, say_unread, warn
from fivefold.cli.guard import guarded
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.apps.data_files.splitting import Part, Plan
    from fivefold.data import SampleTable
    from fivefold.data.unread import Unread
    from fivefold.experiment.named_data import Opened, Reading

_Test = Annotated[
    float | None,
    typer.Option(
        "--test",
        metavar="FRACTION",
        help="How much of each class to test on, rounded up; 0.2 if no --folds are given.",
    ),
]
_Folds = Annotated[
    int, typer.Option("--folds", metavar="K", help="Deal the rest into K folds, each class evenly.")
]
_TrainFolds = Annotated[
    str | None,
    typer.Option("--train-folds", metavar="0,1", help="Write FILE_train.csv with these folds."),
]
_ValidFolds = Annotated[
    str | None,
    typer.Option(
        "--valid-folds", metavar="4", help="Those of FILE_valid.csv; default all that are left."
    ),
]
_InferFolds = Annotated[
    str | None, typer.Option("--infer-folds", metavar="5", help="Those of FILE_infer.csv.")
]
_GroupColumn = Annotated[
    str | None,
    typer.Option(
        "--group-column", metavar="NAME", help="Rows with the same text in it stay together."
    ),
]
_Column = Annotated[
    str,
    typer.Option("--column", metavar="NAME", help="The column to add; default split or fold."),
]
_Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        metavar="TABLE|EXPERIMENT",
        help="Samples that an earlier split names keep their fold; only new ones are dealt.",
    ),
]
_IgnoreNear = Annotated[
    bool,
    typer.Option("--ignore-near", help="Decode no image: only exact copies stay together; faster."),
]
_IgnoreCopies = Annotated[
    bool,
    typer.Option("--ignore-copies", help="Read no image: copies may come into different parts."),
]


@guarded
@with_reading
def split(  # noqa: PLR0913  one parameter for each option
    data: options.Data,
    output: options.Output,
    test: _Test = None,
    folds: _Folds = 0,
    train_folds: _TrainFolds = None,
    valid_folds: _ValidFolds = None,
    infer_folds: _InferFolds = None,
    seed: options.Seed = 42,
    keep: _Keep = None,
    group_column: _GroupColumn = None,
    ignore_near: _IgnoreNear = False,
    ignore_copies: _IgnoreCopies = False,
    column: _Column = "",
    *,
    reading: "Reading",
    force: options.Force = False,
    as_json: arguments.AsJson = False,
) -> None:
    """Split a data set into train and test, or into folds, or both.

    Writes FILE with all rows and a column split or fold, FILE_train.csv and FILE_test.csv with the
    rows of each part, and FILE.split.json with the seed. Exact copies and near duplicates of an
    image stay together, as in training. With --test and --folds, fold -1 is the test part. Images
    with several labels count for each. Of images with masks --folds is needed: `folds_from` in a
    config reads the table.
    """
    from fivefold.apps.data_files.splitting import write_split
    from fivefold.experiment.named_data import open_data

    check_named(output)
    plan = _plan(test, folds, (train_folds, valid_folds, infer_folds), seed, keep)
    inputs = [data, *([keep] if keep else [])]
    check_outputs([output, *plan.names(output).values()], inputs, force=force)
    check_outputs([plan.record(output)], inputs, force=force, example="x.json")
    opened = open_data(data, replace(reading, group_column=group_column), ("group_column",))
    table, unread = _table(opened, near=not ignore_near, copies=not ignore_copies)
    written = write_split(opened, table, plan, output, column=column)
    if as_json:
        parts = {name: vars(part) for name, part in written.parts.items()}
        facts = {"seed": plan.seed, "left_out": opened.left_out, "unreadable": unread.reasons}
        show_json({**facts, **vars(written), "parts": parts})
    else:
        _show(written.parts)
    warn((*opened.source.warnings, *written.warnings))
    say_left_out(opened.left_out)
    say_unread(unread, len(table), where=opened.kind != "folder")
    if written.tied:
        groups = f"{written.together:,} group{'s' * (written.together != 1)}"
        say(
            f"{written.tied:,} images are {groups} that stay together: copies, near duplicates, or "
            "by --group-column"
        )
    for name, rows in written.files.items():
        say(f"{output.with_name(name)}: {rows:,} rows")
    _suggest(opened, plan, output, {f"{plan.column}_column": column or plan.column})


def _plan(
    test: float | None,
    folds: int,
    parts: tuple[str | None, str | None, str | None],
    seed: int,
    keep: Path | None,
) -> "Plan":
    from fivefold.apps.data_files.splitting import Plan, check_plan

    names = ("--train-folds", "--valid-folds", "--infer-folds")
    train, valid, infer = map(options.folds_of, parts, names)
    fraction = (0.0 if folds or keep else 0.2) if test is None else test
    plan = Plan(fraction, folds, train, valid, infer, seed, keep)
    check_plan(plan)
    return plan


def _table(opened: "Opened", *, near: bool, copies: bool) -> tuple["SampleTable", "Unread"]:
    from fivefold.apps.data_files.reading import (
        table_with_copies,
        table_with_exact_copies,
        table_without_copies,
    )
    from fivefold.data.unread import Unread

    if not copies:
        return table_without_copies(opened.source), Unread()
    read = table_with_copies if near else table_with_exact_copies
    return read(opened.source, Terminal())


def _show(parts: Mapping[str, "Part"]) -> None:
    """Put out a row for each class, with its images in each part."""
    names = next(iter(parts.values())).classes
    rows = [(name, *(f"{part.classes[name]:,}" for part in parts.values())) for name in names]
    show_table(("class", *parts), [*rows, ("all", *(f"{p.images:,}" for p in parts.values()))])


def _suggest(opened: "Opened", plan: "Plan", output: Path, added: Mapping[str, str]) -> None:
    """Word what a config says to train on just these parts.

    Args:
        opened: What was split.
        plan: How.
        output: The table with all rows.
        added: The key of the column that was added, and its name.
    """
    if opened.source.masks is not None:
        say(f"folds_from: {output}")
        say(f"folds_count: {plan.folds}")
        return
    from fivefold.apps.data_files.rows import sign_of
    from fivefold.apps.data_files.sections import columns_asked, section_for

    keys = {**columns_asked(opened), "separator": sign_of(opened)}
    keys["group_column"] = opened.reading.group_column
    chosen = plan.folds and plan.train
    file = plan.names(output)["train"] if chosen else output
    say(section_for("csv", file, opened.images_dir, **keys, **({} if chosen else added)))
    if plan.folds and not chosen:
        say(f"folds_count: {plan.folds}")
