"""From a stage's resolved list to its callbacks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fivefold.core.errors import ConfigError, NumericError, Problem
from fivefold.engine.callbacks.protocol import (
    Callback,
    Control,
    RunResults,
    StageInfo,
    Validation,
    callbacks,
)
from fivefold.optim import LRVariator, Moment, build_schedule, is_callback, last_of_chain


class AfterChain(Callback):
    """The callback at the end of a chain of LRVariators: it sees all epochs.

    What it makes of the rate counts until a piece of the chain sets the rate again.

    Args:
        inner: The callback.
        chain: Sets the rate while it lasts.
    """

    def __init__(self, inner: Callback, chain: LRVariator) -> None:
        self.inner = inner
        self._chain = chain
        self._steps = 1
        self._given = 0.0

    def on_stage_start(self, info: StageInfo) -> None:
        """Remember how long an epoch is."""
        self._steps = info.steps
        self.inner.on_stage_start(info)

    def on_step(self, step: int, loss: float, lr: float) -> None:
        """Pass it on."""
        self.inner.on_step(step, loss, lr)

    def on_validation(self, epoch: int, found: Validation) -> None:
        """Pass it on."""
        self.inner.on_validation(epoch, found)

    def on_epoch_end(self, epoch: int, row: Mapping[str, float], control: Control) -> None:
        """Let the callback work on the rate that there is, and keep what it has made of it."""
        self._given = self._given or control.lr
        last = Moment(
            (epoch + 1) * self._steps - 1, self._steps, epoch + 1, control.lr, self._given
        )
        rate, left = self._chain.at_end(last)
        own = Control(rate * left, control.stopped)
        self.inner.on_epoch_end(epoch, row, own)
        control.stopped = own.stopped
        control.lr = self._given * (own.lr / rate if rate else 1.0)

    def ends_on(self, error: NumericError) -> bool:
        """Ask the callback."""
        return self.inner.ends_on(error)

    def on_stage_end(self) -> None:
        """Pass it on."""
        self.inner.on_stage_end()

    def on_results(self, results: RunResults) -> None:
        """Pass it on."""
        self.inner.on_results(results)

    def written(self, info: StageInfo) -> Sequence[Path]:
        """Ask the callback."""
        return self.inner.written(info)

    def state_dict(self) -> dict[str, Any]:
        """The callback's state, and the rate that the stage was given."""
        return {"inner": self.inner.state_dict(), "given": self._given}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        self.inner.load_state_dict(state["inner"])
        self._given = state["given"]


def build_callbacks(items: Sequence[tuple[str, Any]]) -> list[Callback]:
    """Make the callbacks of one stage; schedules among them are made by whoever sets rates.

    Raises:
        ConfigError: If a name or an option is wrong.
    """
    made: list[Callback] = []
    for name, value in items:
        if not is_callback(name):
            made.append(_make(name, value))
            continue
        last, chain = last_of_chain(value), build_schedule(name, value)
        if last is not None and isinstance(chain, LRVariator):
            made.append(AfterChain(_make(last[1], last[2]), chain))
    return made


def written_files(items: Sequence[tuple[str, Any]], info: StageInfo) -> list[Path]:
    """Find the files that a stage's callbacks have written.

    Args:
        items: Of the stage, as for `build_callbacks`.
        info: Where the stage was at work.
    """
    found = []
    for callback in build_callbacks(items):
        for path in callback.written(info):
            below = sorted(path.rglob("*")) if path.is_dir() else [path]
            found += [each for each in below if each.is_file()]
    return found


def _make(name: str, value: Any) -> Callback:
    component = callbacks.get(name)
    options, complaints = component.check(value)
    if complaints:
        raise ConfigError([Problem("config/bad-value", "", f"{name}: {complaints[0].message}")])
    return component.make(**options)
