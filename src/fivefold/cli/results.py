"""What an experiment has found, put out for people: a table, the pictures, the report."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fivefold.cli.console import say, show_pairs, show_table
from fivefold.cli.decided_masks import show_decided_masks
from fivefold.core.digits import few_digits, mean_and_spread
from fivefold.core.durations import exactly
from fivefold.core.layout import RunFolder

if TYPE_CHECKING:
    from fivefold.experiment.summary import Summary


def finish(summary: "Summary", folder: RunFolder, again: str, *, made_again: bool = False) -> None:
    """Put out what an experiment found: a table, the pictures and the report.

    Args:
        summary: What `Experiment.fit` returned.
        folder: The experiment's files.
        again: The command that goes on where folds are left.
        made_again: Whether only summary and report were to be written again.
    """
    from fivefold.apps.report import write_pictures, write_report

    # first the files: whoever reads the output may have gone
    if not summary.folds:
        say(f"stopped: no fold is finished yet; to go on: {again}")
        return
    is_new = summary.fresh or summary.decided or made_again
    if is_new or not folder.report_path.exists():
        write_pictures(folder)
        write_report(folder)
    if not summary.fresh and not made_again:
        say(f"already finished: nothing to {'train' if summary.decided else 'do'}")
    show_summary(summary)
    if summary.completed:
        show_decided_masks(folder, measure=is_new)
    pictures = sorted((folder.root / "pictures").glob("*.png"))
    paths = [*(("picture", str(path)) for path in pictures), ("report", str(folder.report_path))]
    show_pairs([("folds", ", ".join(map(str, summary.folds))), *paths])
    if summary.reused:
        say(f"reused: {len(summary.reused)} of {len(summary.folds) * len(summary.stages)} stages")
    if not summary.completed:
        say(f"some folds are left; to train them: {again}")


def tell_time(summary: "Summary", seconds: float) -> None:
    """Put out how long a run took that trained something.

    Args:
        summary: What it found; its own time, as in the manifest and the report, is that of reading
            data and training.
        seconds: From the command's start on.
    """
    how = "stopped after" if summary.stopped else "finished in"
    whole, training = exactly(seconds), exactly(summary.seconds)
    more = "" if whole == training else f", of which reading data and training took {training}"
    say(f"{how} {whole}{more}")


def show_summary(summary: "Summary") -> None:
    """Put out a table: metrics of validation in each stage, and on all samples together."""
    names = _shown_metrics(summary)
    stages = [f"stage {number}\nmean ± std" for number in range(len(summary.stages))]
    last = f"stage {len(summary.stages) - 1}"
    # In two lines, so that two stages fit 80 columns.
    totals = [("out-of-\nfold", summary.oof), ("holdout", summary.holdout)]
    totals = [(title, values) for title, values in totals if values]
    rows = [
        [
            name,
            *(_spread_text(stage.get(name)) for stage in summary.stages),
            *(_number_text(summary.stages[-1].get(name, {}).get(end)) for end in ("min", "max")),
            *(_number_text(values.get(name.removeprefix("val_"))) for _, values in totals),
        ]
        for name in names
    ]
    ends = [f"{last}\nmin fold", f"{last}\nmax fold"]
    show_table(["metric", *stages, *ends, *(title for title, _ in totals)], rows)
    if summary.footnote:
        say(summary.footnote)


def _shown_metrics(summary: "Summary") -> list[str]:
    """Choose the metrics of validation, the primary one first."""
    known = {name for stage in summary.stages for name in stage}
    validation = {name for name in known if name.startswith("val_")}
    rest = sorted((validation or known) - {summary.primary_metric})
    return [name for name in (summary.primary_metric,) if name in known] + rest


def _spread_text(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return "-"
    return mean_and_spread(spread["mean"], spread["std"])


def _number_text(value: float | None) -> str:
    return "-" if value is None else few_digits(value)
