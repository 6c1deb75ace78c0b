"""Callbacks: they read the numbers of an epoch and may stop a stage or lower its learning rate."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fivefold.core.catalog import Catalog
from fivefold.core.errors import ConfigError, Problem
from fivefold.evaluation import direction

logger = logging.getLogger(__name__)

Mode = Literal["auto", "min", "max"]
Patience = Annotated[int, Field(ge=0)]


@dataclass
class Control:
    """What a callback may change.

    Attributes:
        lr: The stage's learning rate, before the schedule's factor.
        stopped: Why the stage ends now; empty while it goes on.
    """

    lr: float
    stopped: str = ""


@dataclass(frozen=True)
class StageInfo:
    """Where a callback is at work.

    Attributes:
        fold: 0-based.
        stage: 0-based.
        root: The experiment's folder.
        first_epoch: Where this process starts; above 0 after a resume.
    """

    fold: int
    stage: int
    root: Path
    first_epoch: int


class Callback:
    """Does nothing; override what you need.

    A callback that remembers something returns it from `state_dict` as JSON values, so that a
    resumed run equals an unbroken one.
    """

    monitor: str = ""

    def on_stage_start(self, info: StageInfo) -> None:
        """Called once before the first epoch of this process."""

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Called with all numbers of an epoch, before they are committed."""

    def on_stage_end(self) -> None:
        """Called after the last epoch, also after an error."""

    def state_dict(self) -> dict[str, Any]:
        """What must survive a resume, as JSON values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""


callbacks: Catalog[Callback] = Catalog("callback")


class _Watch:
    """Has a number improved, and for how many epochs has it not?"""

    def __init__(
        self, mode: Mode, monitor: str, min_delta: float, baseline: float | None = None
    ) -> None:
        self.sign = 1.0 if (direction(monitor) if mode == "auto" else mode) == "max" else -1.0
        self.min_delta = abs(min_delta)
        self.best = baseline
        self.wait = 0

    def see(self, value: float) -> None:
        """Take the next value; NaN never improves."""
        improved = not math.isnan(value) and (
            self.best is None or self.sign * (value - self.best) > self.min_delta
        )
        self.best, self.wait = (value, 0) if improved else (self.best, self.wait + 1)


@callbacks.add()
@dataclass(kw_only=True)
class EarlyStopping(Callback):
    """Ends a stage when a number has not improved for `patience` epochs.

    Attributes:
        monitor: A column of the metrics file.
        patience: Epochs without improvement that are allowed; 0 ends at the first.
        min_delta: A smaller change is no improvement.
        mode: `auto` knows the direction of every metric.
        baseline: A value that must be passed from the start.
        verbose: 1 tells when it stops.
        restore_best_weights: A stage always ends with its best weights, whatever is set here.
    """

    monitor: str = "val_loss"
    patience: Patience = 0
    min_delta: float = 0.0
    mode: Mode = "auto"
    baseline: float | None = None
    verbose: Literal[0, 1] = 0
    restore_best_weights: bool = True

    def __post_init__(self) -> None:
        self._watch = _Watch(self.mode, self.monitor, self.min_delta, self.baseline)
        if not self.restore_best_weights:
            logger.warning("EarlyStopping: a stage always ends with its best weights")

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Stop the stage when patience is over."""
        self._watch.see(row[self.monitor])
        if self._watch.wait >= max(self.patience, 1):
            control.stopped = f"{self.monitor} has not improved for {self._watch.wait} epochs"
            if self.verbose:
                logger.info("epoch %d: early stop: %s", epoch + 1, control.stopped)

    def state_dict(self) -> dict[str, Any]:
        """Best value and epochs since."""
        return {"best": self._watch.best, "wait": self._watch.wait}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._watch.best, self._watch.wait = state["best"], state["wait"]


@callbacks.add()
@dataclass(kw_only=True)
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a number has not improved.

    Attributes:
        monitor: A column of the metrics file.
        factor: What the learning rate is multiplied by, below 1.
        patience: Epochs without improvement before each cut.
        mode: `auto` knows the direction of every metric.
        min_delta: A smaller change is no improvement.
        cooldown: Epochs after a cut in which nothing is counted.
        min_lr: The learning rate never goes below.
        verbose: 1 tells of each cut.
    """

    monitor: str = "val_loss"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Patience = 10
    mode: Mode = "auto"
    min_delta: float = 1e-4
    cooldown: Patience = 0
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    verbose: Literal[0, 1] = 0

    def __post_init__(self) -> None:
        self._watch = _Watch(self.mode, self.monitor, self.min_delta)
        self._cooling = 0

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Cut the learning rate when patience is over."""
        self._cooling = max(self._cooling - 1, 0)
        self._watch.see(row[self.monitor])
        if self._cooling:
            self._watch.wait = 0
        if self._watch.wait < max(self.patience, 1):
            return
        lower = max(control.lr * self.factor, self.min_lr)
        if self.verbose and lower < control.lr:
            logger.info("epoch %d: learning rate %g -> %g", epoch + 1, control.lr, lower)
        control.lr = min(control.lr, lower)
        self._cooling, self._watch.wait = self.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        """Best value, epochs since, epochs left to cool down."""
        return {"best": self._watch.best, "wait": self._watch.wait, "cooling": self._cooling}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._watch.best, self._watch.wait = state["best"], state["wait"]
        self._cooling = state["cooling"]


def _inside(path: str) -> str:
    """Keep a config from writing where it has no business."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        msg = "a path inside the experiment's folder"
        raise ValueError(msg)
    return path


@callbacks.add()
@dataclass(kw_only=True)
class TensorBoard(Callback):
    """Writes every number of every epoch for TensorBoard, into a folder for each fold and stage.

    Attributes:
        log_dir: Where, below the experiment's folder.
    """

    log_dir: Annotated[str, AfterValidator(_inside)] = "logs"

    def __post_init__(self) -> None:
        self._writer: Any = None

    def on_stage_start(self, info: StageInfo) -> None:
        """Open the events file; after a resume, drop what lies beyond it."""
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  costs a second

        self._writer = SummaryWriter(str(self.folder(info)), purge_step=info.first_epoch)

    def folder(self, info: StageInfo) -> Path:
        """Name the folder that a stage's events are in."""
        return info.root / self.log_dir / f"{info.fold}.{info.stage}"

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:  # noqa: ARG002  the protocol's names
        """Write one point for each number."""
        for name, value in sorted(row.items()):
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def on_stage_end(self) -> None:
        """Close the events file."""
        if self._writer is not None:
            self._writer.close()


def build_callbacks(items: Sequence[tuple[str, Any]]) -> list[Callback]:
    """Make the callbacks of one stage.

    Raises:
        ConfigError: If a name or an option is wrong.
    """
    made = []
    for name, value in items:
        component = callbacks.get(name)
        options, complaints = component.check(value)
        if complaints:
            raise ConfigError([Problem("config/bad-value", "", f"{name}: {complaints[0].message}")])
        made.append(component.make(**options))
    return made


def written_folders(items: Sequence[tuple[str, Any]], info: StageInfo) -> list[Path]:
    """Name the folders that a stage's callbacks write.

    Args:
        items: Of the stage, as for `build_callbacks`.
        info: Where the stage is at work.
    """
    writers = [item for item in items if callbacks.get(item[0]).make is TensorBoard]
    return [made.folder(info) for made in build_callbacks(writers) if isinstance(made, TensorBoard)]
