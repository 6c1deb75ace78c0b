"""Several experiments one after another: one that fails leaves the others to run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fivefold.cli.console import say, show_table, start_logging
from fivefold.cli.guard import answer
from fivefold.core.digits import mean_and_spread
from fivefold.core.durations import exactly

if TYPE_CHECKING:
    from fivefold.experiment.summary import Summary


@dataclass(frozen=True)
class Outcome:
    """How one experiment has ended.

    Attributes:
        place: The experiment.
        summary: What it found; None where it failed or was not begun.
        exit_code: Of its error; 0 without one.
        seconds: How long it took.
    """

    place: Path
    summary: "Summary | None" = None
    exit_code: int = 0
    seconds: float = 0.0

    @property
    def left(self) -> bool:
        """Whether another start would go on with it."""
        return self.summary is None or not self.summary.completed


def run_several(
    places: Sequence[Path],
    run_one: Callable[[Path, float | None], "Summary"],
    time_limit: float | None,
) -> list[Outcome]:
    """Run experiments, telling which one is at work and what each has ended with.

    Args:
        places: In this order.
        run_one: Runs an experiment within so many seconds, and puts out what it found.
        time_limit: Seconds for all together; once they are over, no other experiment begins.
    """
    until = None if time_limit is None else time.monotonic() + time_limit
    outcomes: list[Outcome] = []
    for number, place in enumerate(places):
        seconds = None if until is None else until - time.monotonic()
        if seconds is not None and seconds <= 0 and outcomes:
            outcomes.append(Outcome(place))
            continue
        say(f"{place} ({number + 1} of {len(places)})")
        outcomes.append(_run(place, run_one, seconds))
    return outcomes


def _run(
    place: Path, run_one: Callable[[Path, float | None], "Summary"], seconds: float | None
) -> Outcome:
    start_logging()  # what is said of one experiment is said of another one too
    started = time.monotonic()
    try:
        summary = run_one(place, seconds)
    except BrokenPipeError:
        raise
    except Exception as error:  # a defect in one experiment is no reason to leave out the others
        return Outcome(place, None, answer(error, "fit", place), time.monotonic() - started)
    return Outcome(place, summary, 0, time.monotonic() - started)


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Put out one table of all experiments."""
    rows = [
        [str(one.place), _state(one), *_result(one.summary), exactly(one.seconds)]
        for one in outcomes
    ]
    show_table(["experiment", "state", "metric", "mean ± std", "time"], rows)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Choose the exit code of all: that of the first that has failed."""
    return next((one.exit_code for one in outcomes if one.exit_code), 0)


def _state(one: Outcome) -> str:
    if one.exit_code:
        return f"failed, exit code {one.exit_code}"
    if one.summary is None:
        return "not begun"
    if one.summary.stopped:
        return "stopped"
    if not one.summary.completed:
        return f"folds {', '.join(map(str, one.summary.folds))}"
    return "finished" if one.summary.fresh else "was finished"


def _result(summary: "Summary | None") -> tuple[str, str]:
    spread = summary.stages[-1].get(summary.primary_metric) if summary and summary.stages else None
    if summary is None or spread is None:
        return "", ""
    return summary.primary_metric, mean_and_spread(spread["mean"], spread["std"])
