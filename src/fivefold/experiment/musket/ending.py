"""What `fit` says in the end, line by line: the numbers of each stage, and how to go on."""

from collections.abc import Iterator, Mapping, Sequence

from fivefold.core.digits import few_digits, mean_and_spread
from fivefold.core.durations import exactly
from fivefold.core.layout import RunFolder
from fivefold.experiment.summary import Summary


def ending(summary: Summary, folder: RunFolder) -> Iterator[str]:
    """Word what was found, as `fivefold fit` does.

    Args:
        summary: What `Experiment.fit` returned.
        folder: The experiment's files.
    """
    if not summary.folds:
        yield "stopped: no fold is finished yet; the next `fit` goes on"
        return
    if not summary.fresh:
        yield "already finished: nothing to do"
    yield from _aligned(_rows(summary))
    if summary.footnote:
        yield summary.footnote
    yield f"folds: {', '.join(map(str, summary.folds))}"
    if summary.reused:
        yield f"reused: {len(summary.reused)} of {len(summary.folds) * len(summary.stages)} stages"
    if summary.completed:
        yield f"summary: {folder.summary_path}"
    else:
        yield "some folds are left; `fit` without `foldsToExecute` trains them"
    if folder.report_path.exists() and not summary.fresh:
        yield f"report: {folder.report_path}"
    else:
        yield f"report: `fivefold report {folder.argument}` writes it, with pictures"
    if summary.fresh:
        how = "stopped after" if summary.stopped else "finished in"
        yield f"{how} {exactly(summary.seconds)}"


def _rows(summary: Summary) -> list[list[str]]:
    """Make a table of the metrics of validation, the primary one first."""
    known = {name for stage in summary.stages for name in stage}
    shown = {name for name in known if name.startswith("val_")} or known
    names = sorted(shown, key=lambda name: (name != summary.primary_metric, name))
    totals = {"out-of-fold": summary.oof, "holdout": summary.holdout}
    totals = {title: values for title, values in totals.items() if values}
    stages = [f"stage {number}" for number in range(len(summary.stages))]
    rows = [["mean ± std of folds", *stages, *totals]]
    for name in names:
        spreads = [_spread(stage.get(name)) for stage in summary.stages]
        numbers = [values.get(name.removeprefix("val_")) for values in totals.values()]
        rows.append([name, *spreads, *("-" if n is None else few_digits(n) for n in numbers)])
    return rows


def _spread(found: Mapping[str, float] | None) -> str:
    return "-" if found is None else mean_and_spread(found["mean"], found["std"])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write cells below each other: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        numbers = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *numbers])
