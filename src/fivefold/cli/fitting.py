"""How one experiment is trained from the command line, and which ones are meant."""

import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fivefold.cli.console import say, starting, warned_before
from fivefold.cli.explain import explain_for_report
from fivefold.cli.results import finish, tell_time
from fivefold.core.digits import mean_and_spread
from fivefold.core.durable import read_json
from fivefold.core.errors import FivefoldError
from fivefold.core.layout import CONFIG_NAME, RunFolder
from fivefold.core.progress import Terminal

if TYPE_CHECKING:
    from fivefold.experiment.summary import Summary


@dataclass(frozen=True)
class Wish:
    """The options of `fivefold fit`, for every experiment alike.

    Attributes:
        overrides: `key=value` each.
        folds: Only these; None is all.
        from_stage: Stages before this one must be finished.
        jobs: How many at once; None lets the machine decide.
        reuse: Whether to take stages that were trained alike elsewhere.
        allow_imports: Whether a config may name Python code to run.
        only_report: Train nothing.
    """

    overrides: tuple[str, ...] = ()
    folds: Sequence[int] | None = None
    from_stage: int = 0
    jobs: int | None = None
    reuse: bool = True
    allow_imports: bool = False
    only_report: bool = False

    def command(self, *experiments: Path, folds: bool = False) -> str:
        """Write the command that trains with these options, for a shell.

        Args:
            experiments: What to train.
            folds: Whether to keep to the chosen folds and stages.
        """
        options = [word for override in self.overrides for word in ("--set", override)]
        if folds and self.folds is not None:
            options += ["--folds", ",".join(map(str, self.folds))]
        if folds and self.from_stage:
            options += ["--from-stage", str(self.from_stage)]
        options += ["--allow-imports"] if self.allow_imports else []
        options += [] if self.reuse else ["--no-reuse"]
        return shlex.join(["fivefold", "fit", *map(str, experiments), *options])


def chosen_experiments(
    experiments: Sequence[Path] | None, project: Path | None, name: str | None
) -> list[Path]:
    """Decide which experiments a command line means.

    Args:
        experiments: Named one by one; each counts once.
        project: The project whose experiments are meant.
        name: Names in the project, with commas between them.

    Raises:
        ConfigError: If there is no such project or name, or nothing is left to train.
    """
    from fivefold.experiment.project import Project

    if experiments:
        if project is not None or name is not None:
            msg = "expected either experiments or a project with its names, got both"
            raise typer.BadParameter(msg, param_hint="EXPERIMENT")
        return list(dict.fromkeys(experiments))
    here = Path()
    if project is None and name is None and (here / CONFIG_NAME).is_file():
        return [here]
    found = Project.around(here) if project is None else Project.open(project)
    if name is not None:
        return found.choose([part.strip() for part in name.split(",") if part.strip()])
    return found.left()


def repeats_of(place: Path, wish: Wish) -> list[Path]:
    """Write the configs of an experiment's repeats, if it asks for several seeds; see `num_seeds`.

    Returns:
        Their folders; none where the experiment is trained once, or its config is wrong.
    """
    from fivefold.config import load

    folder = RunFolder.of(place)
    try:
        config = load(folder.config_path, wish.overrides)
    except FivefoldError:  # whoever trains it tells
        return []
    if config.num_seeds == 1:
        return []
    from fivefold.experiment.repeats import write_repeats

    return write_repeats(config, folder)


def conclude(place: Path, parts: Sequence[Path]) -> None:
    """Write the summary over an experiment's repeats, and put out its main number."""
    from fivefold.experiment.repeats import conclude_repeats

    summary = conclude_repeats(RunFolder.of(place), parts)
    if summary is not None:
        found = summary.stages[-1][summary.primary_metric]
        number = mean_and_spread(found["mean"], found["std"])
        say(f"{place}: {summary.primary_metric} {number} over {summary.num_seeds} seeds")


def run_one(
    experiment: Path, time_limit: float | None, wish: Wish, started: float | None = None
) -> "Summary":
    """Train what is left of an experiment, and put out what it found.

    Args:
        experiment: A folder with a `config.yaml`, or a YAML file.
        time_limit: Seconds after which no other epoch begins.
        wish: How.
        started: When the command was, by `time.monotonic`; now if not given.

    Raises:
        FivefoldError: Of the kind that says what went wrong.
    """
    started = time.monotonic() if started is None else started
    folder = RunFolder.of(experiment)
    if wish.folds is not None or wish.from_stage:
        _check_places(wish, folder)
    from fivefold.experiment.finished import find_finished

    opened = None
    summary = None if wish.only_report else find_finished(experiment, wish.overrides, Terminal())
    if summary is None:
        _recall_warnings(folder)
        with starting():
            from fivefold.experiment.opening import open_experiment

            opened = open_experiment(
                experiment, wish.overrides, allow_imports=wish.allow_imports, progress=Terminal()
            )
        summary = (
            opened.summarise()
            if wish.only_report
            else opened.fit(
                folds=wish.folds,
                jobs=wish.jobs or "auto",
                reuse=wish.reuse,
                time_limit=time_limit,
            )
        )
    if opened is not None and summary.folds:
        explain_for_report(opened)
    again = wish.command(experiment, folds=summary.stopped)
    finish(summary, folder, again, made_again=wish.only_report)
    if opened is not None and summary.completed:
        from fivefold.experiment.publishing import publish

        pictures = sorted((folder.root / "pictures").glob("*.png"))
        publish(opened.config, folder, [folder.report_path, *pictures])
    if summary.fresh and summary.folds:
        tell_time(summary, time.monotonic() - started)
    return summary


def _recall_warnings(folder: RunFolder) -> None:
    """Know what an earlier start of this run has warned of."""
    if folder.manifest_path.exists():
        with suppress(FivefoldError, OSError):  # the run itself tells that it is damaged
            recorded = read_json(folder.manifest_path).get("warnings", ())
            warned_before(map(str, recorded), folder.manifest_path)


def _check_places(wish: Wish, folder: RunFolder) -> None:
    """Refuse folds and stages that cannot be, before anything heavy is loaded or found finished."""
    from fivefold.config import InvalidConfigError, load
    from fivefold.experiment.plan import choose_folds
    from fivefold.experiment.trained import check_stages_before

    try:
        config = load(folder.config_path, wish.overrides)
    except InvalidConfigError:  # the full check tells these problems together with others
        return
    choose_folds(wish.folds, config.folds_count)
    if wish.from_stage:
        check_stages_before(folder, config, wish.folds, wish.from_stage, "--from-stage")
