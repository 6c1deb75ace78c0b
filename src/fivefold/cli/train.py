"""Commands that lead to trained models: check, fit, demo."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import say, show_pairs, starting
from fivefold.cli.fitting import Wish, chosen_experiments, conclude, repeats_of, run_one
from fivefold.cli.guard import guarded
from fivefold.cli.several import exit_code, run_several, show_outcomes
from fivefold.core.progress import Terminal

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
    wish = Wish(overrides=tuple(overrides or ()), allow_imports=allow_imports)
    say(f"ready: {wish.command(experiment)}")


@guarded
def fit(  # noqa: PLR0913  one parameter for each option
    experiments: arguments.Experiments = None,
    overrides: arguments.Overrides = None,
    folds: arguments.Folds = None,
    from_stage: arguments.FromStage = 0,
    jobs: arguments.Jobs = None,
    no_reuse: arguments.NoReuse = False,
    project: arguments.ProjectFolder = None,
    name: arguments.Names = None,
    time_limit: arguments.TimeLimit = None,
    only_report: arguments.OnlyReport = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Train all folds and stages; go on where a stopped run was.

    Several experiments run one after another. One that fails leaves the others to run; the exit
    code is that of the first that has failed.
    """
    started = time.monotonic()
    _check_jobs(jobs)
    seconds = arguments.seconds(time_limit)
    wish = Wish(
        overrides=tuple(overrides or ()),
        folds=None if folds is None else arguments.numbers(folds),
        from_stage=from_stage,
        jobs=jobs,
        reuse=not no_reuse,
        allow_imports=allow_imports,
        only_report=only_report,
    )
    chosen = chosen_experiments(experiments, project, name)
    repeats = {place: repeats_of(place, wish) for place in chosen}
    # the config of a repeat has the overrides in it
    wishes = {
        part: (replace(wish, overrides=()) if parts else wish, place)
        for place, parts in repeats.items()
        for part in parts or [place]
    }
    if len(wishes) == 1:
        run_one(chosen[0], seconds, wish, started)
        return
    outcomes = run_several(
        list(wishes), lambda place, limit: run_one(place, limit, wishes[place][0]), seconds
    )
    show_outcomes(outcomes)
    for place, parts in repeats.items():
        if parts:
            conclude(place, parts)
    left = dict.fromkeys(wishes[one.place][1] for one in outcomes if one.left)
    if left:
        say(f"some are left; to go on: {wish.command(*left)}")
    if exit_code(outcomes):
        raise typer.Exit(exit_code(outcomes))


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
    fit([config_path])


def _check_jobs(jobs: int | None) -> None:
    """Refuse a number of processes that there cannot be, before anything heavy is loaded."""
    if jobs is not None and jobs < 1:
        msg = f"expected at least 1 fold at once, got {jobs}; leave it out and the machine decides"
        raise typer.BadParameter(msg, param_hint="--jobs")
