"""Callbacks that watch one number: they end a stage, or lower its learning rate."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    Mode,
    Patience,
    Watch,
    callbacks,
    sign_of,
)

logger = logging.getLogger(__name__)


def _idle_of_early_stopping(options: Mapping[str, Any]) -> Iterator[str]:
    if not options["restore_best_weights"]:
        yield "restore_best_weights: a stage always ends with its best weights"


@callbacks.add(idle=_idle_of_early_stopping)
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
        sign = sign_of(self.mode, self.monitor)
        self._watch = Watch(sign, self.min_delta, self.baseline)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Stop the stage when patience is over."""
        self._watch.see(row[self.monitor])
        if self._watch.wait >= max(self.patience, 1):
            epochs = "1 epoch" if self._watch.wait == 1 else f"{self._watch.wait} epochs"
            control.stopped = f"{self.monitor} has not improved for {epochs}"
            if self.verbose:
                logger.info("epoch %d: early stop: %s", epoch + 1, control.stopped)

    def state_dict(self) -> dict[str, Any]:
        """Best value and epochs since."""
        return {"best": self._watch.best, "wait": self._watch.wait}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self._watch.best, self._watch.wait = state["best"], state["wait"]


@callbacks.add(moves_rate=True)
@dataclass(kw_only=True)
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a number has not improved.

    Attributes:
        monitor: A column of the metrics file.
        factor: What the learning rate is multiplied by, below 1.
        patience: Epochs without improvement before each cut.
        mode: `auto` knows the direction of every metric.
        min_delta: A smaller change is no improvement; also called `epsilon`.
        cooldown: Epochs after a cut in which nothing is counted.
        min_lr: The learning rate never goes below.
        verbose: 1 tells of each cut.
    """

    monitor: str = "val_loss"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Patience = 10
    mode: Mode = "auto"
    min_delta: Annotated[float, Field(validation_alias=AliasChoices("min_delta", "epsilon"))] = 1e-4
    cooldown: Patience = 0
    min_lr: Annotated[float, Field(ge=0)] = 0.0
    verbose: Literal[0, 1] = 0

    def __post_init__(self) -> None:
        self._watch = Watch(sign_of(self.mode, self.monitor), self.min_delta)
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
