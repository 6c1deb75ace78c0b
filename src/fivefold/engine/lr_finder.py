"""The learning-rate finder: train a little with ever higher rates, and look at the loss."""

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import torch

from fivefold.core.arguments import as_number, as_whole
from fivefold.core.errors import ConfigError, NumericError, Problem
from fivefold.core.seeding import seed_for
from fivefold.data.batches import Batch
from fivefold.engine.device import accelerator
from fivefold.engine.grouping import Grouping
from fivefold.engine.loop import Task, back_propagate, give_rate, learn
from fivefold.engine.predictor import Advance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fivefold.engine.lr_plots import Curve

_DIVERGED = 4.0  # times the lowest loss, as Musket's
_MEMORY = 0.9  # of the smoothed loss
_SETTLED = 10  # steps that the smoothed loss remembers; before, single batches decide
_FEWEST = 4  # steps that have a mean
# Parts of the fall that are compared with the next, and by how many standard errors they differ: a
# slow fall needs long parts, which mere noise has, too.
_SIDES = ((8, 3), (4, 4), (2, 4))
_LOWEST = 1e-30  # the step from one rate to the next overflows far below
_HIGHEST = 1000.0


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Which rates are tried.

    Attributes:
        start_lr: The first rate, above 0.
        end_lr: Where they go, at most 1000; the last one tried is one step below.
        epochs: How many passes over the training samples, if `steps` does not say how many steps.
        steps: How many steps of the optimizer, however many epochs those are; at least 2.
        scale: `log` multiplies from step to step, `linear` adds.
        subsample: With `epochs`: the fraction of the samples that each pass takes, above 0.

    Raises:
        ConfigError: If a number is outside its range.
    """

    start_lr: float = 1e-6
    end_lr: float = 1.0
    epochs: int = 5
    steps: int | None = None
    scale: Literal["log", "linear"] = "log"
    subsample: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start_lr", "end_lr", "subsample"):
            as_number(name, getattr(self, name))
        as_whole("epochs", self.epochs)
        as_whole("steps", 2 if self.steps is None else self.steps)
        ranges = {
            "start_lr": (
                _LOWEST <= self.start_lr < self.end_lr,
                f"at least {_LOWEST:g} and below end_lr",
            ),
            "end_lr": (self.end_lr <= _HIGHEST, f"at most {_HIGHEST:g}"),
            "epochs": (self.epochs >= 1, "at least 1"),
            "steps": (self.steps is None or self.steps >= 2, "at least 2"),
            "scale": (self.scale in ("log", "linear"), "'log' or 'linear'"),
            "subsample": (0 < self.subsample <= 1, "a number above 0 and at most 1"),
        }
        problems = [
            Problem("config/bad-value", "", f"{name}: expected {text}, got {getattr(self, name)!r}")
            for name, (is_right, text) in ranges.items()
            if not is_right
        ]
        if problems:
            raise ConfigError(problems)

    def total(self, per_epoch: int) -> int:
        """Count the steps there will be at most, when an epoch has so many."""
        if self.steps is not None:
            return self.steps
        return max(round(self.epochs * per_epoch * self.subsample), 2)

    def rate(self, step: int, total: int) -> float:
        """Give the rate of a step, 0-based, of so many."""
        part = step / total
        if self.scale == "linear":
            return self.start_lr + (self.end_lr - self.start_lr) * part
        return float(self.start_lr * (self.end_lr / self.start_lr) ** part)


EVERY_RATE = Sweep()
"""From a millionth to 1 in five epochs, as Musket does it."""


@dataclass(frozen=True)
class Suggestion:
    """What the curve says.

    Attributes:
        steepest: The rate at which the loss falls fastest: one to train with.
        lowest: The rate at which it is lowest: more than this is too much.
    """

    steepest: float
    lowest: float


@dataclass(frozen=True)
class LRFinder:
    """The rates that were tried, and the loss with each; under Musket's names.

    Attributes:
        lrs: Learning rates, one for each step.
        losses: The mean loss of the samples of each step.
        stopped: Why it ended before the last rate; empty if it did not.
        scale: How rates were raised, which the plots' axis follows: `log` or `linear`.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    stopped: str = ""
    scale: Literal["log", "linear"] = "log"

    @property
    def best_loss(self) -> float:
        """The lowest loss; infinity if there is none."""
        return min(self.losses, default=math.inf)

    def smoothed(self) -> tuple[float, ...]:
        """Average the losses, each new one counting a tenth, as if there were more before."""
        running = _Running()
        return tuple(map(running.add, self.losses))

    def suggest(self) -> Suggestion | None:
        """Find the step at which the loss falls most, comparing the means on its two sides.

        Each side has an eighth of the steps up to the lowest smoothed loss, so that no single
        step decides; a fall has to be three times its standard error. Where none is, sides of a
        quarter and of a half are tried, with four times: small batches tell only a long fall.

        Returns:
            None where the loss does not fall, or where there are too few steps to say.
        """
        lowest = int(np.argmin(self.smoothed())) if self.losses else 0
        for part, clear in _SIDES:
            wide = max((lowest + 1) // part, _FEWEST)
            step = _steepest(self.losses[: lowest + 1], wide, clear)
            if step is not None:
                return Suggestion(self.lrs[step], self.lrs[lowest])
        return None

    def plot_loss(
        self, n_skip_beginning: int = 10, n_skip_end: int = 5, figure: "Figure | None" = None
    ) -> "Figure":
        """Draw the loss over the rate.

        Args:
            n_skip_beginning: Steps that are left out at the beginning.
            n_skip_end: Steps that are left out at the end, where the loss explodes.
            figure: An empty one to draw on. If not given, the curve is on pyplot's current axes,
                for `plt.savefig` and `plt.show`; on a new figure where they show something else.

        Returns:
            The figure that it is on.
        """
        from fivefold.engine.lr_plots import draw_loss  # noqa: PLC0415  loads matplotlib

        return draw_loss(self._curve(), n_skip_beginning, n_skip_end, figure)

    def plot_loss_change(
        self,
        sma: int = 1,
        n_skip_beginning: int = 10,
        n_skip_end: int = 5,
        y_lim: tuple[float, float] = (-0.01, 0.01),
        figure: "Figure | None" = None,
    ) -> "Figure":
        """Draw how much the loss changes from step to step.

        Args:
            sma: Over so many steps the change is averaged.
            n_skip_beginning: Steps that are left out at the beginning.
            n_skip_end: Steps that are left out at the end.
            y_lim: The lowest and the highest change that is shown.
            figure: As for `plot_loss`.

        Returns:
            The figure that it is on.
        """
        from fivefold.engine.lr_plots import draw_change  # noqa: PLC0415  loads matplotlib

        return draw_change(self._curve(), sma, (n_skip_beginning, n_skip_end), y_lim, figure)

    def _curve(self) -> "Curve":
        from fivefold.engine.lr_plots import Curve  # noqa: PLC0415  loads matplotlib

        found = self.suggest()
        marked = found.steepest if found else 0.0
        return Curve(self.lrs, self.losses, self.smoothed(), marked, self.scale)


class _Running:
    """A mean that forgets: each new value counts a tenth, as if there were more before."""

    def __init__(self) -> None:
        self._mean, self._steps = 0.0, 0

    def add(self, value: float) -> float:
        """Take one more value; gives the mean with it."""
        self._mean = _MEMORY * self._mean + (1 - _MEMORY) * value
        self._steps += 1
        return self._mean / (1 - _MEMORY**self._steps)


def _steepest(losses: Sequence[float], wide: int, clear: float) -> int | None:
    """Find the step before which the mean loss of so many is furthest above that of as many after.

    Args:
        losses: Of each step.
        wide: How many steps have a mean.
        clear: How many standard errors a fall has at least.

    Returns:
        None where nothing falls clearly.
    """
    if len(losses) < 2 * wide:
        return None
    sides = np.lib.stride_tricks.sliding_window_view(np.asarray(losses), wide)
    means, errors = sides.mean(axis=1), sides.var(axis=1, ddof=1) / wide
    falls = means[:-wide] - means[wide:]
    most = int(falls.argmax())
    is_clear = falls[most] > clear * math.sqrt(errors[most] + errors[most + wide])
    return most + wide if is_clear else None


def find_rates(task: Task, sweep: Sweep, advance: Advance) -> LRFinder:
    """Train with ever higher rates until the last, or until the smoothed loss has diverged.

    The schedule, callbacks and averaging of the stage have no part in it. In the end the model has
    the very weights that it had; the optimizer of the task is used up.

    Args:
        task: What to train, and on what.
        sweep: The rates.
        advance: Told 1 for each step.

    Raises:
        NumericError: If the first loss, before any step, is NaN or infinite.
        ResourceError: If memory runs out.
    """
    before = {name: t.detach().clone() for name, t in task.model.state_dict().items()}
    task = replace(task, average=None)
    device = accelerator().device
    lrs, losses, stopped = [], [], ""
    running, means = _Running(), []
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), closing(_steps(task, sweep)) as steps:
        try:
            for lr, loss in steps:
                lrs.append(lr)
                losses.append(loss)
                means.append(running.add(loss))
                advance(1)
                if has_diverged(means):
                    stopped = f"the smoothed loss was {means[-1]:.4g}, far above its lowest"
                    break
        except NumericError as error:
            if not lrs:
                raise _no_number(error) from error
            stopped = str(error).partition("\n")[0]
        finally:
            task.model.load_state_dict(before)
    return LRFinder(tuple(lrs), tuple(losses), stopped, sweep.scale)


def _no_number(error: NumericError) -> NumericError:
    """Word a loss that is no number before anything was learned."""
    hint = "no rate was tried yet: look at the initial weights, the images and the loss"
    return NumericError(str(error).partition("\n")[0], hint=hint, slug="numeric/loss")


def has_diverged(means: Sequence[float]) -> bool:
    """Say whether the smoothed loss is more than four times its lowest.

    Musket asks that of the loss of each step, and a single easy batch ends it. Nothing is said of
    the first steps, which the mean has to settle in.

    Of losses that may fall below 0, such as `cosine`, four times the lowest means nothing. Once
    one has, the last has to be above the lowest by three times the greatest size before it.

    Args:
        means: The smoothed loss after each step.
    """
    settled = means[_SETTLED - 1 :]
    if len(settled) < 2:
        return False
    lowest = min(settled)
    if lowest > 0:
        return settled[-1] > _DIVERGED * lowest
    size = max(map(abs, settled[:-1]))
    return settled[-1] - lowest > (_DIVERGED - 1) * size


def steps_of(task: Task, sweep: Sweep) -> int:
    """Count the steps that a sweep has at most."""
    return sweep.total(Grouping.of(task.train(0).parts, task.stage.accumulate).steps)


def _steps(task: Task, sweep: Sweep) -> Generator[tuple[float, float]]:
    """Take the steps; yields the rate and the mean loss of each, before the weights move."""
    total, done = steps_of(task, sweep), 0
    task.model.train()
    task.optimizer.zero_grad(set_to_none=True)
    for epoch in count():
        torch.manual_seed(seed_for(task.seed, "lr-find", task.fold, task.stage.index, epoch))
        batches = task.train(epoch)
        groups, mean = Grouping.of(batches.parts, task.stage.accumulate), 0.0
        with closing(cast("Generator[Batch]", iter(batches))) as running:
            for number, batch in enumerate(running):
                lr, share = sweep.rate(done, total), groups.share(number)
                where = f"learning rate {lr:g}"
                mean += share * back_propagate(task, batch, share, where).loss
                if not groups.is_last(number):
                    continue
                yield lr, mean
                give_rate(task.optimizer, lr)
                learn(task, done)
                done, mean = done + 1, 0.0
                if done == total:
                    return
