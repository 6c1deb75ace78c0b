"""Commands that lead to trained models: check, fit, demo."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_pairs, show_table, starting, warned_before
from fivefold.cli.guard import guarded
from fivefold.core.durable import read_json
from fivefold.core.durations import exactly
from fivefold.core.errors import FivefoldError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.experiment.summary import Summary

logger = logging.getLogger(__name__)


@guarded
def check(
    experiment: arguments.Experiment,
    overrides: arguments.Overrides = None,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Find what is wrong before training; estimate time and memory."""
    with starting():
        from fivefold.experiment.opening import open_experiment

        opened = open_experiment(
            experiment, overrides or (), allow_imports=allow_imports, progress=Terminal()
        )
    report = opened.check()
    show_pairs(report.lines)
    for warning in report.warnings:
        logger.warning(warning)  # what was said while the data were read is not said again
    say(f"ready: {_fit_command(experiment, overrides, allow_imports=allow_imports)}")


@guarded
def fit(
    experiment: arguments.Experiment,
    overrides: arguments.Overrides = None,
    folds: arguments.Folds = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            help="How many folds run at once, each in its own process; the machine decides if not "
            "given. The results are the same.",
        ),
    ] = None,
    no_reuse: Annotated[
        bool,
        typer.Option(
            "--no-reuse",
            help="Train every stage, also those that another experiment has trained alike.",
        ),
    ] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Train all folds and stages; go on where a stopped run was."""
    _check_jobs(jobs)
    chosen = None if folds is None else arguments.numbers(folds)
    if chosen is not None:
        _check_folds(chosen, experiment, overrides or ())
    from fivefold.experiment.finished import find_finished

    summary = find_finished(experiment, overrides or ())
    if summary is None:
        _recall_warnings(RunFolder.of(experiment))
        with starting():
            from fivefold.experiment.opening import open_experiment

            opened = open_experiment(
                experiment, overrides or (), allow_imports=allow_imports, progress=Terminal()
            )
        summary = opened.fit(folds=chosen, jobs=jobs or "auto", reuse=not no_reuse)
    again = _fit_command(experiment, overrides, allow_imports=allow_imports)
    again += " --no-reuse" if no_reuse else ""
    finish(summary, RunFolder.of(experiment), again)


@guarded
def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write the demo.")
    ] = Path("fivefold-demo"),
) -> None:
    """See it work: train on 1,797 handwritten digits, in minutes."""
    from fivefold.apps.demo import write_demo

    config_path = write_demo(folder)
    say(f"{folder}: images in digits/, one folder per class; the experiment is in config.yaml")
    fit(config_path)


def _recall_warnings(folder: RunFolder) -> None:
    """Know what an earlier start of this run has warned of."""
    if folder.manifest_path.exists():
        with suppress(FivefoldError, OSError):  # the run itself tells that it is damaged
            recorded = read_json(folder.manifest_path).get("warnings", ())
            warned_before(map(str, recorded), folder.manifest_path)


def _check_jobs(jobs: int | None) -> None:
    """Refuse a number of processes that there cannot be, before anything heavy is loaded."""
    if jobs is not None and jobs < 1:
        msg = f"expected at least 1 fold at once, got {jobs}; leave it out and the machine decides"
        raise typer.BadParameter(msg, param_hint="--jobs")


def _check_folds(chosen: Sequence[int], experiment: Path, overrides: Sequence[str]) -> None:
    """Refuse folds that there are not, before anything heavy is loaded or taken for finished."""
    from fivefold.config import InvalidConfigError, load
    from fivefold.experiment.plan import choose_folds

    try:
        num_folds = load(RunFolder.of(experiment).config_path, overrides).folds_count
    except InvalidConfigError:  # the full check tells these problems together with others
        return
    choose_folds(chosen, num_folds)


def _fit_command(experiment: Path, overrides: Sequence[str] | None, *, allow_imports: bool) -> str:
    """Write the command that trains with these options, for a shell."""
    options = [word for override in overrides or () for word in ("--set", override)]
    options += ["--allow-imports"] if allow_imports else []
    return shlex.join(["fivefold", "fit", str(experiment), *options])


def finish(summary: "Summary", folder: RunFolder, again: str) -> None:
    """Put out what an experiment found: a table, the pictures and the report.

    Args:
        summary: What `Experiment.fit` returned.
        folder: The experiment's files.
        again: The command that goes on where folds are left.
    """
    from fivefold.apps.report import write_pictures, write_report

    # first the files: whoever reads the output may have gone
    if summary.fresh or not folder.report_path.exists():
        write_pictures(folder)
        write_report(folder)
    if not summary.fresh:
        say("already finished: nothing to do")
    show_summary(summary)
    pictures = sorted((folder.root / "pictures").glob("*.png"))
    paths = [*(("picture", str(path)) for path in pictures), ("report", str(folder.report_path))]
    show_pairs([("folds", ", ".join(map(str, summary.folds))), *paths])
    if summary.reused:
        say(f"reused: {len(summary.reused)} of {len(summary.folds) * len(summary.stages)} stages")
    if not summary.completed:
        say(f"some folds are left; to train them: {again}")
    if summary.fresh:
        say(f"finished in {exactly(summary.seconds)}")


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


def _shown_metrics(summary: "Summary") -> list[str]:
    """Choose the metrics of validation, the primary one first."""
    known = {name for stage in summary.stages for name in stage}
    validation = {name for name in known if name.startswith("val_")}
    rest = sorted((validation or known) - {summary.primary_metric})
    return [name for name in (summary.primary_metric,) if name in known] + rest


def _spread_text(spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return "-"
    return f"{spread['mean']:.4f} ± {spread['std']:.4f}"


def _number_text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
