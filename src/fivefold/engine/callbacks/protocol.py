"""What a callback is: it reads the numbers of an epoch, and may stop a stage or change its rate."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from fivefold.core.catalog import Catalog
from fivefold.core.errors import NumericError
from fivefold.core.found import Found
from fivefold.core.types import Image
from fivefold.engine.callbacks.own import guarded
from fivefold.evaluation import direction

Mode: TypeAlias = Literal["auto", "min", "max"]
Patience: TypeAlias = Annotated[int, Field(ge=0)]
Draw: TypeAlias = Callable[[int], bytes]
Save: TypeAlias = Callable[[Path, int, Mapping[str, float]], None]


@dataclass
class Control:
    """What a callback may change.

    Attributes:
        lr: The stage's learning rate, before the schedule has its part in it.
        stopped: Why the stage ends now; empty while it goes on.
    """

    lr: float
    stopped: str = ""


def _nowhere(stem: Path, epoch: int, row: Mapping[str, float]) -> None:
    """Save nothing: there is no model."""


def _nothing(epoch: int) -> bytes:  # noqa: ARG001  it draws none of them
    """Draw nothing: there are no samples."""
    return b""


def _no_pictures(rows: Sequence[int]) -> list[Image]:  # noqa: ARG001  it has none of them
    """Give no image: there are no samples."""
    return []


def _no_mistakes(limit: int) -> bytes:  # noqa: ARG001  it draws none of them
    """Draw nothing: there are no samples."""
    return b""


@dataclass(frozen=True)
class Validation:
    """What an epoch found beside its numbers.

    Attributes:
        predictions: Of the validation fold; where masks are predicted, their scores.
        pictures: Gives the images [H, W, C] of some rows of the predictions, as the network's
            size has them, in their order.
        draw_mistakes: Draws at most so many of the worst mistakes, as a PNG file; empty where all
            is right.
        images: How many images were learned from and validated.
        seconds: How long that took.
    """

    predictions: Found
    pictures: Callable[[Sequence[int]], list[Image]] = _no_pictures
    draw_mistakes: Callable[[int], bytes] = _no_mistakes
    images: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RunResults:
    """What a run has put into its folder about all folds.

    Attributes:
        root: The experiment's folder.
        config: Of the experiment, as JSON values.
        numbers: Over all folds, by name.
        files: Those that are new or were written anew.
        weights: Files of the last stage's weights, with what describes them.
    """

    root: Path
    config: Mapping[str, Any]
    numbers: Mapping[str, float] = field(default_factory=dict)
    files: Sequence[Path] = ()
    weights: Sequence[Path] = ()


@dataclass(frozen=True)
class StageInfo:
    """Where a callback is at work.

    Attributes:
        fold: 0-based.
        stage: 0-based.
        root: The experiment's folder.
        first_epoch: Where this process starts; above 0 after a resume.
        rows: The numbers of the epochs before.
        steps: Steps of the optimizer in an epoch.
        save: Writes the weights as they are, and what describes them, to a path without a suffix;
            told the epoch and its numbers.
        draw: Makes a PNG file of training samples as an epoch has them.
        epochs: How many the stage is to have.
        config: Of the experiment, as JSON values.
    """

    fold: int
    stage: int
    root: Path
    first_epoch: int
    rows: Sequence[Mapping[str, float]] = ()
    steps: int = 1
    save: Save = _nowhere
    draw: Draw = _nothing
    epochs: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)


class Callback:
    """Does nothing; override what you need.

    A callback that remembers something returns it from `state_dict` as JSON values, so that a
    resumed run equals an unbroken one. `on_epoch_end` may be called again for an epoch that was
    not committed, and then has to write the same.
    """

    monitor: str = ""

    def on_stage_start(self, info: StageInfo) -> None:
        """Called once before the first epoch of this process."""

    def on_step(self, step: int, loss: float, lr: float) -> None:
        """Called after each step of the optimizer, counted from the stage's first one.

        Args:
            step: 0-based.
            loss: The mean of the samples of the step.
            lr: The rate of the step.
        """

    def on_validation(self, epoch: int, found: Validation) -> None:
        """Called with the predictions of an epoch, before `on_epoch_end`."""

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Called with all numbers of an epoch, before they are committed."""

    def ends_on(self, error: NumericError) -> bool:  # noqa: ARG002  the protocol's names
        """Say whether a loss that is no number ends the stage rather than the fold."""
        return False

    def on_stage_end(self) -> None:
        """Called after the last epoch, also after an error."""

    def on_results(self, results: RunResults) -> None:
        """Called when all folds are finished, perhaps in another process and more than once.

        It may be called before any other hook; the files of all stages are there.
        """

    def written(self, info: StageInfo) -> Sequence[Path]:  # noqa: ARG002  the protocol's names
        """Name the files and folders that it writes, whether they are there or not."""
        return ()

    def state_dict(self) -> dict[str, Any]:
        """What must survive a resume, as JSON values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""


callbacks: Catalog[Callback] = Catalog("callback", (), partial(guarded, Callback))
"""Facts: `moves_rate`, whether it changes the learning rate; `idle`, a function from checked
options to what of them has no effect here; `needs`, a package and the extra that brings it."""


def sign_of(mode: Mode, monitor: str) -> float:
    """Give 1 where a watched number is better when it rises, -1 where it is when it falls."""
    return 1.0 if (direction(monitor) if mode == "auto" else mode) == "max" else -1.0


class Watch:
    """Has a number improved, and for how many epochs has it not?

    Args:
        sign: Of `sign_of`.
        min_delta: A change of at most this is no improvement.
        baseline: What has to be passed from the start.
    """

    def __init__(self, sign: float, min_delta: float, baseline: float | None = None) -> None:
        self.sign = sign
        self.min_delta = abs(min_delta)
        self.best = baseline
        self.wait = 0

    def see(self, value: float) -> None:
        """Take the next value; NaN never improves."""
        improved = not math.isnan(value) and (
            self.best is None or self.sign * (value - self.best) > self.min_delta
        )
        self.best, self.wait = (value, 0) if improved else (self.best, self.wait + 1)
